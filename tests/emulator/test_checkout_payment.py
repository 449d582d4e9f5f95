"""Paying a Checkout Session, by the URLs the hosted page and Stripe's command line use."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
import stripe

from tests.conftest import LocalStripe
from tests.emulator.controls import Controls
from tests.emulator.wire import Reply, Wire

SLOW_BANK_SECONDS = 3600


@pytest.fixture
def wire(local_stripe: LocalStripe, key: str) -> Wire:
    """Plain HTTP with the key of this test's sandbox."""
    return Wire(local_stripe.url, key)


def opened(client: stripe.StripeClient, amount: int = 1900, **more: Any) -> stripe.checkout.Session:
    """A session that sells one thing."""
    described = {"currency": "usd", "unit_amount": amount, "product_data": {"name": "Field journal"}}
    given: Any = {
        "mode": "payment",
        "line_items": [{"price_data": described, "quantity": 1}],
        "success_url": "http://127.0.0.1:9/thanks?session_id={CHECKOUT_SESSION_ID}",
        **more,
    }
    return client.v1.checkout.sessions.create(given)


def saving(client: stripe.StripeClient, **more: Any) -> stripe.checkout.Session:
    """A session that saves a card."""
    given: Any = {"mode": "setup", "currency": "usd", "success_url": "http://127.0.0.1:9/thanks", **more}
    return client.v1.checkout.sessions.create(given)


def confirm(wire: Wire, session: stripe.checkout.Session, method: str = "pm_card_visa", **more: Any) -> Reply:
    """Press the button."""
    given = {"payment_method": method, "email": "ada@example.com", **more}
    return wire.post(f"/v1/payment_pages/{session.id}/confirm", urlencode(given))


def happened(client: stripe.StripeClient) -> list[str]:
    """The types of the events so far, in order, but for those of the catalog and of the money's booking."""
    types = [event.type for event in client.v1.events.list({"limit": 100}).data]
    return [type_ for type_ in reversed(types) if not type_.startswith(("product.", "price.", "charge.updated"))]


def test_a_guest_pays(client: stripe.StripeClient, wire: Wire) -> None:
    """No customer is made; the session holds what the payer told; events come in Stripe's order."""
    session = opened(client)

    answer = confirm(wire, session, expected_amount=1900)

    assert answer.status == 200
    assert (answer.value["status"], answer.value["session_id"]) == ("complete", session.id)
    paid = client.v1.checkout.sessions.retrieve(session.id)
    assert (paid.status, paid.payment_status, paid.customer, paid.url) == ("complete", "paid", None, None)
    assert paid.customer_details is not None
    assert paid.customer_details.email == "ada@example.com"
    assert happened(client) == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
    ]


def test_the_page_can_be_read_before_it_is_paid(client: stripe.StripeClient, wire: Wire) -> None:
    """What Stripe's command line reads to know the amount."""
    session = opened(client)

    page = wire.get(f"/v1/payment_pages/{session.id}").value

    assert (page["session_id"], page["line_item_group"]["total"], page["currency"]) == (session.id, 1900, "usd")


def test_the_page_needs_no_secret_key(local_stripe: LocalStripe, client: stripe.StripeClient, key: str) -> None:
    """A browser has the publishable key of the same sandbox."""
    session = opened(client)

    answer = confirm(Wire(local_stripe.url, key.replace("sk_", "pk_")), session)

    assert answer.value["status"] == "complete"


def test_a_card_can_be_typed(client: stripe.StripeClient, wire: Wire) -> None:
    """The payer's name and e-mail come with it."""
    session = opened(client)

    answer = wire.post(
        f"/v1/payment_pages/{session.id}/confirm",
        "payment_method_data[type]=card&payment_method_data[card][number]=5555555555554444"
        "&payment_method_data[card][exp_month]=12&payment_method_data[card][exp_year]=2040"
        "&payment_method_data[card][cvc]=123&payment_method_data[billing_details][email]=grace@example.com"
        "&payment_method_data[billing_details][name]=Grace",
    )

    assert answer.value["customer_details"]["email"] == "grace@example.com"
    (charge,) = client.v1.charges.list().data
    assert charge.payment_method_details is not None
    assert charge.payment_method_details.card is not None
    assert (charge.payment_method_details.card.brand, charge.billing_details.name) == ("mastercard", "Grace")


def test_a_new_customer_keeps_the_card_they_agreed_to_keep(client: stripe.StripeClient, wire: Wire) -> None:
    """`setup_future_usage` makes a customer even when none was asked for."""
    session = opened(client, payment_intent_data={"setup_future_usage": "off_session"})
    assert session.customer_creation == "always"

    confirm(wire, session)

    paid = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["customer", "payment_intent"]})
    assert isinstance(paid.customer, stripe.Customer)
    assert paid.customer.email == "ada@example.com"
    assert len(client.v1.customers.payment_methods.list(paid.customer.id).data) == 1
    assert isinstance(paid.payment_intent, stripe.PaymentIntent)
    assert paid.payment_intent.customer == paid.customer.id
    # Stripe's order: whoever hears of the charge does not know its customer yet.
    assert happened(client) == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_method.attached",
        "customer.created",
        "payment_intent.succeeded",
        "checkout.session.completed",
    ]


def test_a_decline_leaves_the_session_open_and_no_customer_behind(client: stripe.StripeClient, wire: Wire) -> None:
    """402 with the whole intent; the next try uses the same one."""
    session = opened(client, customer_creation="always")

    declined = confirm(wire, session, "pm_card_visa_chargeDeclined")

    assert (declined.status, declined.error["code"]) == (402, "card_declined")
    tried = declined.error["payment_intent"]
    assert (tried["status"], tried["customer"]) == ("requires_payment_method", None)
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"
    assert client.v1.customers.list().data == []
    paid = confirm(wire, session).value
    assert (paid["payment_intent"]["id"], paid["status"]) == (tried["id"], "complete")
    assert happened(client) == [
        "payment_intent.created",
        "charge.failed",
        "payment_intent.payment_failed",
        "charge.succeeded",
        "customer.created",
        "payment_intent.succeeded",
        "checkout.session.completed",
    ]


@pytest.mark.parametrize(
    "narrowed", [{"allowed_payment_method_types": ["card"]}, {"excluded_payment_method_types": ["us_bank_account"]}]
)
@pytest.mark.parametrize("open_session", [opened, saving])
def test_a_session_takes_only_what_it_allows(
    client: stripe.StripeClient, wire: Wire, open_session: Any, narrowed: dict[str, Any]
) -> None:
    """Said by what is allowed or by what is not, and shown."""
    session = open_session(client, **narrowed)

    refused = confirm(wire, session, "pm_usBankAccount_success")

    assert session.payment_method_types == ["card"]
    assert all(getattr(session, name) == types for name, types in narrowed.items())
    assert (refused.status, refused.error["param"]) == (400, "payment_method")


def test_nobody_pays_another_amount_than_they_saw(client: stripe.StripeClient, wire: Wire) -> None:
    """`expected_amount` is what the page showed."""
    session = opened(client)

    refused = confirm(wire, session, expected_amount=1800)

    assert (refused.status, refused.error["param"]) == (400, "expected_amount")
    assert client.v1.payment_intents.list().data == []


def test_a_complete_session_is_paid_once(client: stripe.StripeClient, wire: Wire) -> None:
    """Neither confirmed again nor expired."""
    session = opened(client)
    confirm(wire, session)

    again = confirm(wire, session)

    assert again.status == 400
    assert "a status of `complete`" in again.error["message"]
    assert len(client.v1.charges.list().data) == 1
    with pytest.raises(stripe.InvalidRequestError, match="a status of `complete`"):
        client.v1.checkout.sessions.expire(session.id)


def test_the_intent_gets_its_own_metadata(client: stripe.StripeClient, wire: Wire) -> None:
    """What is on the session stays there."""
    session = opened(
        client,
        metadata={"on": "session"},
        payment_intent_data={"metadata": {"on": "intent"}, "description": "Order 7", "capture_method": "manual"},
    )

    confirm(wire, session)

    paid = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert isinstance(paid.payment_intent, stripe.PaymentIntent)
    assert paid.payment_intent.metadata is not None
    assert paid.payment_intent.metadata.to_dict() == {"on": "intent"}
    assert paid.payment_intent.description == "Order 7"
    # The money is held, not taken.
    assert (paid.payment_intent.status, paid.status, paid.payment_status) == ("requires_capture", "complete", "unpaid")


def test_nothing_to_pay_needs_no_card(client: stripe.StripeClient, wire: Wire) -> None:
    """A total of 0 completes without an intent."""
    session = opened(client, 0)

    confirm(wire, session, "")

    done = client.v1.checkout.sessions.retrieve(session.id)
    assert (done.status, done.payment_status, done.payment_intent) == ("complete", "no_payment_required", None)
    assert happened(client) == ["checkout.session.completed"]


@pytest.mark.parametrize("method", ["pm_card_visa", "pm_usBankAccount_success"])
@pytest.mark.parametrize("amount", [0, 1900])
@pytest.mark.parametrize("capture", ["automatic", "manual"])
def test_a_new_customer_is_told_of_once(
    client: stripe.StripeClient, wire: Wire, amount: int, method: str, capture: str
) -> None:
    """Whatever is paid, and however: before the session is complete."""
    data = {"capture_method": capture} if amount else {}
    session = opened(client, amount, customer_creation="always", payment_intent_data=data)

    confirm(wire, session, method)

    # A slow bank may have answered by now.
    told = [type_ for type_ in happened(client) if type_.startswith(("customer.", "checkout.session.completed"))]
    assert told == ["customer.created", "checkout.session.completed"]
    paid = client.v1.checkout.sessions.retrieve(session.id)
    assert client.v1.customers.retrieve(str(paid.customer)).email == "ada@example.com"


def test_a_known_customer_learns_what_they_told(client: stripe.StripeClient, wire: Wire) -> None:
    """A missing e-mail always; the name only where the seller wants that."""
    customer = client.v1.customers.create({"name": "A."})
    kept = opened(client, customer=customer.id)
    confirm(wire, kept)
    assert (client.v1.customers.retrieve(customer.id).email) == "ada@example.com"

    wanted = opened(client, customer=customer.id, customer_update={"name": "auto"})
    method = client.v1.payment_methods.create(
        {"type": "card", "card": {"token": "tok_visa"}, "billing_details": {"name": "Ada Lovelace"}}
    )
    confirm(wire, wanted, method.id)

    assert client.v1.customers.retrieve(customer.id).name == "Ada Lovelace"


def test_a_card_is_saved_for_its_customer(client: stripe.StripeClient, wire: Wire) -> None:
    """Setup mode: the intent there was from the start succeeds, in Stripe's order of events."""
    customer = client.v1.customers.create({"email": "ada@example.com"})
    session = saving(client, customer=customer.id)

    answer = confirm(wire, session)

    assert (answer.value["status"], answer.value["payment_status"]) == ("complete", "no_payment_required")
    assert answer.value["setup_intent"]["status"] == "succeeded"
    assert happened(client) == [
        "customer.created",
        "setup_intent.created",
        "payment_method.attached",
        "setup_intent.succeeded",
        "checkout.session.completed",
    ]


def test_a_card_that_cannot_be_saved_leaves_the_session_open(client: stripe.StripeClient, wire: Wire) -> None:
    """402, and another card can follow."""
    session = saving(client, customer_creation="always")

    declined = confirm(wire, session, "pm_card_visa_chargeDeclined")

    assert (declined.status, declined.error["setup_intent"]["id"]) == (402, session.setup_intent)
    assert confirm(wire, session).value["status"] == "complete"
    done = client.v1.checkout.sessions.retrieve(session.id)
    assert isinstance(done.customer, str)
    assert len(client.v1.customers.payment_methods.list(done.customer).data) == 1
    assert happened(client).count("customer.created") == 1


@pytest.mark.parametrize(
    ("account", "outcome", "status"),
    [("success", "succeeded", "paid"), ("insufficientFunds", "failed", "unpaid")],
)
def test_a_slow_bank_answers_after_the_session_is_complete(
    client: stripe.StripeClient, wire: Wire, controls: Controls, account: str, outcome: str, status: str
) -> None:
    """Complete and unpaid at first; an event of its own tells how it ended."""
    session = opened(client)

    confirmed = confirm(wire, session, f"pm_usBankAccount_{account}")

    assert (confirmed.value["status"], confirmed.value["payment_status"]) == ("complete", "unpaid")
    controls.push(SLOW_BANK_SECONDS)
    ended = client.v1.checkout.sessions.retrieve(session.id)
    assert (ended.status, ended.payment_status) == ("complete", status)
    assert happened(client)[-1] == f"checkout.session.async_payment_{outcome}"


def test_a_session_expires_when_its_time_is_over(client: stripe.StripeClient, controls: Controls) -> None:
    """Of itself, after a day."""
    session = opened(client)

    controls.push(24 * 60 * 60 + 1)

    expired = client.v1.checkout.sessions.retrieve(session.id)
    assert (expired.status, expired.url) == ("expired", None)
    assert happened(client) == ["checkout.session.expired"]


def test_a_paid_session_does_not_expire(client: stripe.StripeClient, wire: Wire, controls: Controls) -> None:
    """Its time is over and nothing happens."""
    session = opened(client)
    confirm(wire, session)

    controls.push(24 * 60 * 60 + 1)

    assert client.v1.checkout.sessions.retrieve(session.id).status == "complete"
    assert "checkout.session.expired" not in happened(client)


def test_a_bank_that_answers_after_the_session_expired_charges_nothing(client: stripe.StripeClient, wire: Wire) -> None:
    """The intent is given up with the session."""
    session = opened(client)
    waiting = confirm(wire, session, "pm_card_authenticationRequired").value
    assert (waiting["status"], waiting["payment_intent"]["status"]) == ("open", "requires_action")

    client.v1.checkout.sessions.expire(session.id)

    intent = client.v1.payment_intents.retrieve(waiting["payment_intent"]["id"])
    assert (intent.status, client.v1.charges.list().data) == ("canceled", [])


def test_a_bank_asked_about_an_old_total_is_asked_in_vain(client: stripe.StripeClient, wire: Wire) -> None:
    """Changing what is sold gives the running try up; the next one is for the new total."""
    session = opened(client, expand=["line_items"])
    assert session.line_items is not None
    waiting = confirm(wire, session, "pm_card_authenticationRequired").value["payment_intent"]
    bank = urlsplit(waiting["next_action"]["redirect_to_url"]["url"])

    client.v1.checkout.sessions.update(
        session.id, {"line_items": [{"id": session.line_items.data[0].id, "quantity": 2}]}
    )
    wire.post(f"{bank.path}?{bank.query}", "answer=complete")

    assert client.v1.charges.list().data == []
    paid = confirm(wire, session).value
    assert (paid["payment_intent"]["id"], paid["payment_intent"]["amount_received"]) == (waiting["id"], 3800)


@pytest.mark.parametrize(
    "body",
    [
        "payment_method[a]=b",
        "payment_method_data=card",
        "payment_method_data[type]=card&payment_method_data[card]=x",
        "payment_method_data[type]=card&payment_method_data[card][number][x]=1",
        "payment_method_data[type]=card&payment_method_data[billing_details]=x",
        "email[x]=1&payment_method=pm_card_visa",
        "payment_method=pm_nobody",
        "",
    ],
)
def test_nonsense_is_a_400_and_leaves_nothing(client: stripe.StripeClient, wire: Wire, body: str) -> None:
    """No SDK checks these parameters, so the endpoint does."""
    session = opened(client)

    answer = wire.post(f"/v1/payment_pages/{session.id}/confirm", body)

    assert (answer.status, answer.error["type"]) == (400, "invalid_request_error")
    assert client.v1.checkout.sessions.retrieve(session.id).payment_intent is None
