"""Parameters: each is used, or said to have no effect, or refused. Silence is the one wrong answer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import LocalStripe
from tests.emulator.wire import Wire


@pytest.fixture(scope="module")
def strict() -> Iterator[Wire]:
    """A server that refuses what has no effect."""
    server = LocalStripe("--memory", "--strict")
    yield Wire(server.url, "sk_test_strict")
    server.stop()


def test_a_parameter_that_is_modelled_is_used(wire: Wire) -> None:
    """And nothing else is said about it."""
    reply = wire.post("/v1/customers", "email=ada@example.com&address[city]=Turin")

    assert (reply.value["email"], reply.value["address"]["city"]) == ("ada@example.com", "Turin")
    assert "paydesk-no-effect" not in reply.headers


def test_a_parameter_without_effect_is_shown_and_said(wire: Wire) -> None:
    """Checked by type, kept where the object shows it, and named in a header."""
    reply = wire.post("/v1/customers", "invoice_settings[footer]=Thanks&tax[validate_location]=deferred")

    assert reply.value["invoice_settings"]["footer"] == "Thanks"
    assert wire.get(f"/v1/customers/{reply.value['id']}").value["invoice_settings"]["footer"] == "Thanks"
    assert set(reply.headers["paydesk-no-effect"].split(", ")) == {"invoice_settings.footer", "tax.validate_location"}


def test_a_parameter_without_effect_is_shown_where_it_nests(wire: Wire) -> None:
    """Beside its neighbours, which stay."""
    body = (
        "invoice_settings[footer]=Thanks&invoice_settings[custom_fields][0][name]=PO&"
        "invoice_settings[custom_fields][0][value]=7&metadata[footer]=mine"
    )

    shown = wire.post("/v1/customers", body).value
    emptied = wire.post(f"/v1/customers/{shown['id']}", "invoice_settings[footer]=").value

    assert shown["invoice_settings"] == {
        "custom_fields": [{"name": "PO", "value": "7"}],
        "default_payment_method": None,
        "footer": "Thanks",
        "rendering_options": None,
    }
    assert emptied["invoice_settings"] == shown["invoice_settings"] | {"footer": None}


def test_a_parameter_without_effect_is_checked_all_the_same(wire: Wire) -> None:
    """A typing mistake would be one at Stripe too."""
    reply = wire.post("/v1/customers", "next_invoice_sequence=soon")

    assert (reply.status, reply.error["code"]) == (400, "parameter_invalid_integer")


def test_a_parameter_whose_ignoring_would_be_wrong_is_refused(wire: Wire) -> None:
    """With the reason, and Stripe's spelling of where it stands."""
    reply = wire.post("/v1/checkout/sessions", "mode=payment&payment_intent_data[on_behalf_of]=acct_1")

    assert (reply.status, reply.error["param"]) == (400, "payment_intent_data[on_behalf_of]")
    assert "The local Stripe does not model `payment_intent_data.on_behalf_of` yet" in reply.error["message"]


@pytest.mark.parametrize(
    ("body", "param", "sentence"),
    [
        ("colour=red", "colour", "Received unknown parameter: colour"),
        ("address[planet]=Mars", "address[planet]", "Received unknown parameter: address[planet]"),
        ("colour=red&size=L&email=x", "colour", "Received unknown parameters: colour, size"),
    ],
)
def test_a_parameter_that_stripe_does_not_know_is_refused(wire: Wire, body: str, param: str, sentence: str) -> None:
    """In Stripe's words; unknown ones come before all other mistakes."""
    reply = wire.post("/v1/customers", body)

    assert (reply.status, reply.error["code"], reply.error["param"]) == (400, "parameter_unknown", param)
    assert reply.error["message"] == sentence
    assert wire.get("/v1/customers").value["data"] == []


def test_a_strict_server_refuses_what_has_no_effect(strict: Wire) -> None:
    """For suites that want to know that nothing they send is ignored."""
    reply = strict.post("/v1/customers", "email=ada@example.com&invoice_settings[footer]=Thanks")

    assert (reply.status, reply.error["param"]) == (400, "invoice_settings.footer")
    assert strict.post("/v1/customers", "email=ada@example.com").status == 200
    assert len(strict.get("/v1/customers").value["data"]) == 1


def test_names_of_the_callers_own_stay_inside_the_header(wire: Wire) -> None:
    """A name with a line break in it is no way to write headers."""
    reply = wire.post(
        "/v1/customers",
        "email=ada@example.com&cash_balance[settings][reconciliation_mode]=automatic&metadata[a%0d%0aEvil:%201]=x",
    )

    assert "evil" not in reply.headers
