"""Payment methods: what somebody pays with."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.conftest import LocalStripe

NUMBER = "4242424242424242"


def typed_card(**changes: Any) -> Any:
    """A card as somebody types it, with what is wrong with it."""
    return {"type": "card", "card": {"number": NUMBER, "exp_month": 12, "exp_year": 2040, "cvc": "123", **changes}}


def test_a_typed_card_shows_what_a_receipt_may_show(client: stripe.StripeClient) -> None:
    """Brand, country and the last four digits; never the number or the security code."""
    method = client.v1.payment_methods.create(
        typed_card() | {"billing_details": {"name": "Ada", "address": {"postal_code": "SW1"}}}
    )

    assert method.card is not None
    shown = method.card.to_dict()
    assert (shown["brand"], shown["last4"], shown["funding"], shown["country"]) == ("visa", "4242", "credit", "US")
    assert shown["checks"] == {
        "address_line1_check": None,
        "address_postal_code_check": "unchecked",
        "cvc_check": "unchecked",
    }
    assert method.billing_details.name == "Ada"
    assert NUMBER not in str(method)


@pytest.mark.parametrize(
    ("typed", "code", "param", "message"),
    [
        ({"number": "4242424242424241"}, "incorrect_number", "number", "Your card number is incorrect."),
        ({"number": "42"}, "incorrect_number", "number", "Your card number is incorrect."),
        ({"exp_month": 13}, "invalid_expiry_month", "exp_month", "Your card's expiration month is invalid."),
        ({"exp_year": 2020}, "invalid_expiry_year", "exp_year", "Your card's expiration year is invalid."),
        ({"exp_year": 20}, "invalid_expiry_year", "exp_year", "Your card's expiration year is invalid."),
        ({"cvc": "12"}, "invalid_cvc", "cvc", "Your card's security code is invalid."),
    ],
)
def test_what_no_bank_would_take_is_refused(
    client: stripe.StripeClient, typed: dict[str, Any], code: str, param: str, message: str
) -> None:
    """402 in Stripe's words, naming the field."""
    with pytest.raises(stripe.CardError) as refusal:
        client.v1.payment_methods.create(typed_card(**typed))

    assert (refusal.value.http_status, refusal.value.code, refusal.value.param) == (402, code, param)
    assert refusal.value.user_message == message


def test_amex_takes_four_digits(client: stripe.StripeClient) -> None:
    """Its security code is longer than that of others."""
    method = client.v1.payment_methods.create(typed_card(number="378282246310005", cvc="1234"))

    assert method.card is not None
    assert method.card.brand == "amex"


def test_only_test_cards_are_taken_in_test_mode(client: stripe.StripeClient) -> None:
    """A well-formed number that is no test card is somebody's real one."""
    with pytest.raises(stripe.CardError, match="used a non test card") as refusal:
        client.v1.payment_methods.create(typed_card(number="4111111111111111"))

    body: Any = refusal.value.json_body
    assert (refusal.value.code, body["error"]["decline_code"]) == ("card_declined", "test_mode_live_card")


def test_no_test_card_is_taken_in_live_mode(local_stripe: LocalStripe) -> None:
    """Going live is rehearsed with the refusals of live mode; magic ids mean nothing there."""
    client = local_stripe.client("sk_live_local_cards")

    with pytest.raises(stripe.CardError, match="used a known test card") as refusal:
        client.v1.payment_methods.create(typed_card())
    with pytest.raises(stripe.InvalidRequestError, match="No such token: 'tok_visa'"):
        client.v1.payment_methods.create({"type": "card", "card": {"token": "tok_visa"}})

    body: Any = refusal.value.json_body
    assert body["error"]["decline_code"] == "live_mode_test_card"


def test_equal_numbers_have_equal_fingerprints(client: stripe.StripeClient) -> None:
    """Which is how a second free trial on the same card is noticed."""
    first, second, other = (
        client.v1.payment_methods.create(typed_card(number=number)).card
        for number in ("4242424242424242", "4242424242424242", "5555555555554444")
    )

    assert first is not None
    assert second is not None
    assert other is not None
    assert first.fingerprint == second.fingerprint != other.fingerprint


def test_a_magic_id_makes_a_new_payment_method_each_time(client: stripe.StripeClient) -> None:
    """`pm_card_visa` is a template, not an object."""
    customer = client.v1.customers.create()

    first = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    second = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})

    assert first.id != second.id
    listed = client.v1.customers.payment_methods.list(customer.id, {"type": "card"})
    assert [method.id for method in listed.data] == [second.id, first.id]
    assert client.v1.payment_methods.list({"customer": customer.id}).data[0].id == second.id
    assert client.v1.payment_methods.list().data == []


def test_attaching_and_detaching_are_told(client: stripe.StripeClient) -> None:
    """With what was before; a second attach to the same customer is nothing new."""
    customer = client.v1.customers.create()
    method = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    client.v1.payment_methods.attach(method.id, {"customer": customer.id})

    detached = client.v1.payment_methods.detach(method.id)

    assert detached.customer is None
    events = client.v1.events.list().data
    assert [event.type for event in events] == [
        "payment_method.detached",
        "payment_method.attached",
        "customer.created",
    ]
    assert events[0].data.to_dict()["previous_attributes"] == {"customer": customer.id}


def test_a_detached_payment_method_is_gone_for_good(client: stripe.StripeClient) -> None:
    """It cannot come back, and it leaves the customer's defaults."""
    customer = client.v1.customers.create()
    method = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    client.v1.customers.update(customer.id, {"invoice_settings": {"default_payment_method": method.id}})

    client.v1.payment_methods.detach(method.id)

    settings = client.v1.customers.retrieve(customer.id).invoice_settings
    assert settings is not None
    assert settings.default_payment_method is None
    with pytest.raises(stripe.InvalidRequestError, match="It may not be used again"):
        client.v1.payment_methods.attach(method.id, {"customer": customer.id})
    with pytest.raises(stripe.InvalidRequestError, match="not attached to a customer so detachment is impossible"):
        client.v1.payment_methods.detach(method.id)


def test_a_declining_card_cannot_be_attached(client: stripe.StripeClient) -> None:
    """The bank is asked when a card is saved; nothing is kept of the attempt."""
    customer = client.v1.customers.create()

    with pytest.raises(stripe.CardError) as refusal:
        client.v1.payment_methods.attach("pm_card_visa_chargeDeclined", {"customer": customer.id})

    answer: Any = refusal.value.json_body
    body = answer["error"]
    assert (body["code"], body["decline_code"], body["message"], body["param"]) == (
        "card_declined",
        "generic_decline",
        "Your card was declined.",
        "",
    )
    assert (body["advice_code"], body["network_decline_code"]) == ("try_again_later", "01")
    assert client.v1.customers.payment_methods.list(customer.id).data == []


def test_attaching_needs_a_customer_that_exists(client: stripe.StripeClient) -> None:
    """Both refusals name what is wrong."""
    with pytest.raises(stripe.InvalidRequestError, match="Must provide customer or customer_account"):
        client.v1.payment_methods.attach("pm_card_visa", {})
    with pytest.raises(stripe.InvalidRequestError, match="No such customer: 'cus_nobody'") as refusal:
        client.v1.payment_methods.attach("pm_card_visa", {"customer": "cus_nobody"})

    assert (refusal.value.http_status, refusal.value.param) == (400, "customer")


def test_an_unknown_payment_method_is_a_404(client: stripe.StripeClient) -> None:
    """In Stripe's long words."""
    with pytest.raises(stripe.InvalidRequestError, match="No such PaymentMethod: 'pm_x'; It's possible") as refusal:
        client.v1.payment_methods.retrieve("pm_x")

    assert (refusal.value.http_status, refusal.value.param) == (404, "payment_method")


def test_an_attached_payment_method_can_be_updated(client: stripe.StripeClient) -> None:
    """A card's expiry changes when the bank sends a new one."""
    customer = client.v1.customers.create()
    method = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})

    updated = client.v1.payment_methods.update(
        method.id, {"card": {"exp_month": 1, "exp_year": 2044}, "billing_details": {"email": "ada@example.com"}}
    )

    assert updated.card is not None
    assert (updated.card.exp_month, updated.card.exp_year) == (1, 2044)
    assert updated.billing_details.email == "ada@example.com"
    assert client.v1.events.list().data[0].type == "payment_method.updated"


def test_a_loose_payment_method_cannot_be_updated(client: stripe.StripeClient) -> None:
    """Only what is kept is worth keeping up to date."""
    method = client.v1.payment_methods.create({"type": "card", "card": {"token": "tok_visa"}})

    with pytest.raises(stripe.InvalidRequestError, match="You must save this PaymentMethod to a customer"):
        client.v1.payment_methods.update(method.id, {"metadata": {"a": "1"}})


def test_types_that_are_not_modelled_say_so(client: stripe.StripeClient) -> None:
    """A 400 that names the file to extend, not a payment that goes wrong later."""
    with pytest.raises(stripe.InvalidRequestError, match="does not model payment methods of type `klarna`"):
        client.v1.payment_methods.create({"type": "klarna"})
