"""Setup intents: a payment method saved for later."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.emulator.paying import answer_bank, declined, events, set_up


def test_a_card_is_saved_with_its_customer(client: stripe.StripeClient) -> None:
    """Attached before the intent's own event, and tried once."""
    customer = client.v1.customers.create()

    intent = set_up(client, "pm_card_visa", customer=customer.id)

    assert (intent.status, intent.usage) == ("succeeded", "off_session")
    assert events(client, "customer.created") == [
        "setup_intent.created",
        "payment_method.attached",
        "setup_intent.succeeded",
    ]
    (attempt,) = client.v1.setup_attempts.list({"setup_intent": intent.id}).data
    assert (attempt.id, attempt.status, attempt.payment_method) == (
        intent.latest_attempt,
        "succeeded",
        intent.payment_method,
    )
    assert client.v1.payment_methods.retrieve(str(intent.payment_method)).customer == customer.id


@pytest.mark.parametrize(
    "card",
    ["pm_card_authenticationRequired", "pm_card_authenticationRequiredOnSetup", "pm_card_threeDSecure2Required"],
)
def test_the_bank_may_ask_first(client: stripe.StripeClient, card: str) -> None:
    """Then the card is saved when its holder agreed."""
    customer = client.v1.customers.create()
    waiting = set_up(client, card, customer=customer.id)
    assert waiting.status == "requires_action"

    landing = answer_bank(waiting, "complete").headers["location"]

    intent = client.v1.setup_intents.retrieve(waiting.id, {"expand": ["latest_attempt"]})
    attempt: Any = intent.latest_attempt
    assert f"setup_intent={intent.id}" in landing
    assert landing.endswith("redirect_status=succeeded")
    assert (intent.status, attempt.status) == ("succeeded", "succeeded")
    assert attempt.payment_method_details.card.three_d_secure.result == "authenticated"
    assert events(client, "setup_intent.requires_action") == ["payment_method.attached", "setup_intent.succeeded"]


def test_a_failed_authentication_saves_nothing(client: stripe.StripeClient) -> None:
    """The intent says why, and takes another card."""
    customer = client.v1.customers.create()
    waiting = set_up(client, "pm_card_authenticationRequired", customer=customer.id)

    answer_bank(waiting, "fail")

    intent = client.v1.setup_intents.retrieve(waiting.id)
    error: Any = intent.last_setup_error
    assert (intent.status, intent.payment_method) == ("requires_payment_method", None)
    assert error.code == "setup_intent_authentication_failure"
    assert events(client)[-1] == "setup_intent.setup_failed"
    assert client.v1.customers.payment_methods.list(customer.id).data == []


@pytest.mark.parametrize(
    ("card", "code", "decline_code", "param"),
    [
        ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline", None),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card", "exp_month"),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", "incorrect_cvc", None),
    ],
)
def test_a_declined_card_is_not_saved(
    client: stripe.StripeClient, card: str, code: str, decline_code: str, param: str | None
) -> None:
    """402 with the intent, which stays and can be tried again."""
    with pytest.raises(stripe.CardError) as refusal:
        set_up(client, card)

    body = declined(refusal.value)
    assert (body["code"], body["decline_code"], body.get("param")) == (code, decline_code, param)
    intent = client.v1.setup_intents.retrieve(body["setup_intent"]["id"])
    error: Any = intent.last_setup_error
    assert (intent.status, error.code, body["payment_method"]["object"]) == (
        "requires_payment_method",
        code,
        "payment_method",
    )
    assert events(client) == ["setup_intent.created", "setup_intent.setup_failed"]
    again = client.v1.setup_intents.confirm(
        intent.id, {"payment_method": "pm_card_visa", "return_url": "http://127.0.0.1:9/"}
    )
    assert again.status == "succeeded"


def test_a_card_that_fails_later_can_be_saved(client: stripe.StripeClient) -> None:
    """Which is what it is for."""
    assert set_up(client, "pm_card_chargeCustomerFail").status == "succeeded"


def test_wrong_moments_are_refused(client: stripe.StripeClient) -> None:
    """In Stripe's words, with the intent in the body."""
    empty = client.v1.setup_intents.create()
    done = set_up(client, "pm_card_visa")

    with pytest.raises(
        stripe.InvalidRequestError, match="You cannot confirm this SetupIntent because it's missing a p"
    ):
        client.v1.setup_intents.confirm(empty.id, {"return_url": "http://127.0.0.1:9/"})
    with pytest.raises(stripe.InvalidRequestError, match="because it has already succeeded"):
        client.v1.setup_intents.confirm(done.id, {"return_url": "http://127.0.0.1:9/"})
    with pytest.raises(stripe.InvalidRequestError, match="You cannot cancel this SetupIntent because") as refusal:
        client.v1.setup_intents.cancel(done.id)

    assert refusal.value.code == "setup_intent_unexpected_state"


def test_an_intent_can_be_given_up(client: stripe.StripeClient) -> None:
    """Before it succeeded."""
    intent = client.v1.setup_intents.create()

    canceled = client.v1.setup_intents.cancel(intent.id, {"cancellation_reason": "abandoned"})

    assert (canceled.status, canceled.cancellation_reason) == ("canceled", "abandoned")
    assert events(client)[-1] == "setup_intent.canceled"


def test_an_unknown_intent_is_a_404(client: stripe.StripeClient) -> None:
    """In Stripe's words, with the param it names for intents."""
    with pytest.raises(stripe.InvalidRequestError, match="No such setupintent: 'seti_x'") as refusal:
        client.v1.setup_intents.retrieve("seti_x")

    assert (refusal.value.http_status, refusal.value.param) == (404, "intent")
