"""Test cards: every number that means something does what Stripe's does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import stripe

from tests.emulator.controls import Controls
from tests.emulator.paying import answer_bank, declined, events, pay, set_up, typed

DECLINED = "Your card was declined."
ASK = "Your card was declined. This transaction requires authentication."
SUCCESS = ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded"]
FAILURE = ["payment_intent.created", "charge.failed", "payment_intent.payment_failed"]
CHALLENGE = ["payment_intent.created", "payment_intent.requires_action"]


@dataclass(frozen=True)
class No:
    """A card that is declined: its two ways of being named, and the bank's words."""

    alias: str
    number: str
    code: str
    decline_code: str | None
    message: str
    reason: str
    outcome: str = "issuer_declined"
    attaches: bool = False


REFUSALS = (
    No("visa_chargeDeclined", "4000000000000002", "card_declined", "generic_decline", DECLINED, "generic_decline"),
    No("chargeDeclined", "4000000000000002", "card_declined", "generic_decline", DECLINED, "generic_decline"),
    No(
        "visa_chargeDeclinedInsufficientFunds",
        "4000000000009995",
        "card_declined",
        "insufficient_funds",
        "Your card has insufficient funds.",
        "insufficient_funds",
    ),
    No("visa_chargeDeclinedLostCard", "4000000000009987", "card_declined", "lost_card", DECLINED, "lost_card"),
    No("visa_chargeDeclinedStolenCard", "4000000000009979", "card_declined", "stolen_card", DECLINED, "stolen_card"),
    No("chargeDeclinedExpiredCard", "4000000000000069", "expired_card", None, "Your card has expired.", "expired_card"),
    No(
        "chargeDeclinedIncorrectCvc",
        "4000000000000127",
        "incorrect_cvc",
        None,
        "Your card's security code is incorrect.",
        "incorrect_cvc",
    ),
    No(
        "chargeDeclinedProcessingError",
        "4000000000000119",
        "processing_error",
        None,
        "An error occurred while processing your card. Try again in a little bit.",
        "processing_error",
    ),
    No(
        "visa_chargeDeclinedVelocityLimitExceeded",
        "4000000000006975",
        "card_declined",
        "card_velocity_exceeded",
        "Your card was declined for making repeated attempts too frequently or exceeding its amount limit.",
        "card_velocity_exceeded",
    ),
    No("radarBlock", "4100000000000019", "card_declined", "fraudulent", DECLINED, "highest_risk_level", "blocked"),
    No(
        "chargeCustomerFail",
        "4000000000000341",
        "card_declined",
        "generic_decline",
        DECLINED,
        "generic_decline",
        attaches=True,
    ),
    No(
        "threeDSecureRequiredProcessingError",
        "4000008400001280",
        "card_declined",
        "generic_decline",
        DECLINED,
        "generic_decline",
        attaches=True,
    ),
)


@pytest.mark.parametrize("by", ["alias", "number"])
@pytest.mark.parametrize("card", REFUSALS, ids=lambda card: card.alias)
def test_a_declined_payment_leaves_its_charge_and_can_be_tried_again(
    client: stripe.StripeClient, card: No, by: str
) -> None:
    """402 with the bank's reason and the whole intent; the failed charge stays, and another card may pay."""
    with pytest.raises(stripe.CardError) as refusal:
        pay(client, card.number if by == "number" else f"pm_card_{card.alias}")

    body = declined(refusal.value)
    assert refusal.value.http_status == 402
    assert (body["code"], body.get("decline_code"), body["message"]) == (card.code, card.decline_code, card.message)
    assert "param" not in body
    intent = client.v1.payment_intents.retrieve(body["payment_intent"]["id"])
    assert intent.to_dict() == body["payment_intent"]
    assert (intent.status, intent.payment_method, intent.latest_charge) == (
        "requires_payment_method",
        None,
        body["charge"],
    )
    error: Any = intent.last_payment_error
    assert (error.code, error.message, error.payment_method.card.last4) == (card.code, card.message, card.number[-4:])
    charge = client.v1.charges.retrieve(body["charge"])
    assert (charge.status, charge.paid, charge.failure_code, charge.failure_message) == (
        "failed",
        False,
        card.code,
        card.message,
    )
    assert charge.outcome is not None
    assert (charge.outcome.type, charge.outcome.reason) == (card.outcome, card.reason)
    assert events(client) == FAILURE
    again = client.v1.payment_intents.confirm(
        intent.id, {"payment_method": "pm_card_visa", "return_url": "http://127.0.0.1:9/"}
    )
    assert again.status == "succeeded"
    assert events(client)[3:] == ["charge.succeeded", "payment_intent.succeeded"]


@pytest.mark.parametrize("card", REFUSALS, ids=lambda card: card.alias)
def test_a_card_that_is_declined_is_not_saved_either(client: stripe.StripeClient, card: No) -> None:
    """Except those made to fail later, so that renewals can be tested."""
    customer = client.v1.customers.create()

    try:
        method = client.v1.payment_methods.attach(f"pm_card_{card.alias}", {"customer": customer.id})
    except stripe.CardError as refusal:
        body = declined(refusal)
        assert not card.attaches
        assert (body["code"], body.get("decline_code"), body["message"]) == (card.code, card.decline_code, card.message)
        assert events(client) == ["customer.created"]
        return

    assert card.attaches
    with pytest.raises(stripe.CardError):
        pay(client, method.id, customer=customer.id)


PLAIN = (
    ("pm_card_visa", "4242424242424242", "visa", "credit", "US"),
    ("pm_card_visa_debit", "4000056655665556", "visa", "debit", "US"),
    ("pm_card_mastercard", "5555555555554444", "mastercard", "credit", "US"),
    ("", "2223003122003222", "mastercard", "credit", "US"),
    ("pm_card_mastercard_debit", "5200828282828210", "mastercard", "debit", "US"),
    ("pm_card_mastercard_prepaid", "5105105105105100", "mastercard", "prepaid", "US"),
    ("pm_card_amex", "378282246310005", "amex", "credit", "US"),
    ("", "371449635398431", "amex", "credit", "US"),
    ("pm_card_discover", "6011111111111117", "discover", "credit", "US"),
    ("", "6011000990139424", "discover", "credit", "US"),
    ("pm_card_diners", "3056930009020004", "diners", "credit", "US"),
    ("", "36227206271667", "diners", "credit", "US"),
    ("pm_card_jcb", "3566002020360505", "jcb", "credit", "JP"),
    ("pm_card_unionpay", "6200000000000005", "unionpay", "credit", "CN"),
    ("pm_card_de", "4000002760000016", "visa", "credit", "DE"),
    ("pm_card_gb", "4000008260000000", "visa", "credit", "GB"),
    ("pm_card_fr", "4000002500000003", "visa", "credit", "FR"),
    ("pm_card_jp", "4000003920000003", "visa", "credit", "JP"),
    ("pm_card_riskLevelHighest", "4000000000004954", "visa", "credit", "US"),
    ("pm_card_riskLevelElevated", "4000000000009235", "visa", "credit", "US"),
    ("pm_card_cvcCheckFail", "4000000000000101", "visa", "credit", "US"),
    ("pm_card_avsZipFail", "4000000000000036", "visa", "credit", "US"),
    ("pm_card_avsLine1Fail", "4000000000000028", "visa", "credit", "US"),
    ("pm_card_avsFail", "4000000000000010", "visa", "credit", "US"),
    ("pm_card_avsUnchecked", "4000000000000044", "visa", "credit", "US"),
    ("pm_card_threeDSecureOptional", "4000000000003055", "visa", "credit", "US"),
    ("pm_card_threeDSecureOptionalProcessingError", "4000000000003097", "visa", "credit", "US"),
    ("pm_card_amex_threeDSecureNotSupported", "378282246310005", "amex", "credit", "US"),
    ("", "4000000032200000", "visa", "credit", "US"),
    ("", "4000000000001208", "visa", "credit", "US"),
    ("", "4000000000003725", "visa", "credit", "US"),
    ("pm_card_pendingRefund", "4000000000007726", "visa", "credit", "US"),
    ("pm_card_refundFail", "4000000000005126", "visa", "credit", "US"),
    ("pm_card_bypassPending", "4000000000000077", "visa", "credit", "US"),
    ("pm_card_bypassPendingInternational", "4000003720000278", "visa", "credit", "IE"),
)


@pytest.mark.parametrize(("alias", "number", "brand", "funding", "country"), PLAIN)
def test_a_good_card_pays(
    client: stripe.StripeClient, alias: str, number: str, brand: str, funding: str, country: str
) -> None:
    """By its number and by its magic id, with the brand and country it is known for; it can be saved, too."""
    intents = [pay(client, card) for card in (number, alias) if card]

    assert events(client) == SUCCESS * len(intents)
    for intent in intents:
        assert (intent.status, intent.amount_received, intent.next_action) == ("succeeded", 2500, None)
        charge = client.v1.charges.retrieve(str(intent.latest_charge))
        assert charge.payment_method_details is not None
        card: Any = charge.payment_method_details.card
        assert (card.brand, card.funding, card.country, card.last4) == (brand, funding, country, number[-4:])
        assert (charge.captured, charge.paid, charge.payment_intent) == (True, True, intent.id)
    customer = client.v1.customers.create()
    if alias:
        assert client.v1.payment_methods.attach(alias, {"customer": customer.id}).customer == customer.id


@pytest.mark.parametrize(
    ("number", "line1", "postal_code", "cvc"),
    [
        ("4242424242424242", "pass", "pass", "pass"),
        ("4000000000000101", "pass", "pass", "fail"),
        ("4000000000000036", "pass", "fail", "pass"),
        ("4000000000000028", "fail", "pass", "pass"),
        ("4000000000000010", "fail", "fail", "pass"),
        ("4000000000000044", "unavailable", "unavailable", "pass"),
    ],
)
def test_the_bank_checks_what_it_is_told(
    client: stripe.StripeClient, number: str, line1: str, postal_code: str, cvc: str
) -> None:
    """The answers stand on the charge, and the payment goes on."""
    details = {"address": {"line1": "Here 1", "postal_code": "12345"}}

    intent = pay(client, number, payment_method_data={**typed(number), "billing_details": details})

    charge = client.v1.charges.retrieve(str(intent.latest_charge))
    assert charge.payment_method_details is not None
    card: Any = charge.payment_method_details.card
    assert card.checks.to_dict() == {
        "address_line1_check": line1,
        "address_postal_code_check": postal_code,
        "cvc_check": cvc,
    }


@pytest.mark.parametrize(
    ("card", "level"),
    [("pm_card_visa", "normal"), ("pm_card_riskLevelElevated", "elevated"), ("pm_card_riskLevelHighest", "highest")],
)
def test_risk_is_shown(client: stripe.StripeClient, card: str, level: str) -> None:
    """Without a rule that blocks them, risky payments succeed."""
    intent = pay(client, card)

    outcome = client.v1.charges.retrieve(str(intent.latest_charge)).outcome
    assert outcome is not None
    assert (outcome.risk_level, outcome.type, outcome.network_status) == (level, "authorized", "approved_by_network")


ASKING = (
    ("pm_card_authenticationRequiredOnSetup", "4000002500003155", None),
    ("pm_card_authenticationRequired", "4000002760003184", None),
    ("pm_card_authenticationRequiredSetupForOffSession", "4000003800000446", None),
    (
        "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds",
        "4000008260003178",
        "Your card has insufficient funds.",
    ),
    ("pm_card_threeDSecure2Required", "4000000000003220", None),
    ("", "4000008400000027", None),
    ("pm_card_threeDSecureRequiredChargeDeclined", "4000008400001629", DECLINED),
)


@pytest.mark.parametrize(("alias", "number", "declined_with"), ASKING)
def test_a_card_whose_bank_asks_waits_for_the_answer(
    client: stripe.StripeClient, alias: str, number: str, declined_with: str | None
) -> None:
    """No charge before the answer; afterwards the payment, or the decline that would have come anyway."""
    waiting = [pay(client, card) for card in (number, alias) if card][-1]
    assert (waiting.status, waiting.latest_charge) == ("requires_action", None)
    assert events(client)[-2:] == CHALLENGE

    landing = answer_bank(waiting, "complete").headers["location"]

    intent = client.v1.payment_intents.retrieve(waiting.id)
    after = events(client, "payment_intent.requires_action")
    assert landing.startswith(f"http://127.0.0.1:9/back?order=7&payment_intent={intent.id}")
    if declined_with is None:
        assert (intent.status, intent.next_action) == ("succeeded", None)
        assert after == ["charge.succeeded", "payment_intent.succeeded"]
        assert landing.endswith("&redirect_status=succeeded")
        charge = client.v1.charges.retrieve(str(intent.latest_charge))
        assert charge.payment_method_details is not None
        card: Any = charge.payment_method_details.card
        assert (card.three_d_secure.result, card.three_d_secure.authentication_flow) == ("authenticated", "challenge")
    else:
        error: Any = intent.last_payment_error
        assert (intent.status, error.message) == ("requires_payment_method", declined_with)
        assert after == ["charge.failed", "payment_intent.payment_failed"]
        assert landing.endswith("&redirect_status=failed")


@pytest.mark.parametrize("answer", ["fail", "cancel"])
def test_a_failed_authentication_makes_no_charge(client: stripe.StripeClient, answer: str) -> None:
    """The intent says why, and takes another card."""
    waiting = pay(client, "pm_card_authenticationRequired")

    landing = answer_bank(waiting, answer).headers["location"]

    intent = client.v1.payment_intents.retrieve(waiting.id)
    error: Any = intent.last_payment_error
    assert landing.endswith("&redirect_status=failed")
    assert (intent.status, intent.latest_charge, intent.payment_method) == ("requires_payment_method", None, None)
    assert (error.code, error.type) == ("payment_intent_authentication_failure", "invalid_request_error")
    assert error.message == (
        "We are unable to authenticate your payment method. Please choose a different payment method and try again."
    )
    assert events(client) == [*CHALLENGE, "payment_intent.payment_failed"]


OFF_SESSION = (
    ("pm_card_authenticationRequired", False, False),
    ("pm_card_authenticationRequired", True, False),
    ("pm_card_authenticationRequiredOnSetup", False, False),
    ("pm_card_authenticationRequiredOnSetup", True, True),
    ("pm_card_authenticationRequiredSetupForOffSession", False, True),
    ("pm_card_threeDSecure2Required", False, False),
    ("pm_card_visa", False, True),
)


@pytest.mark.parametrize(("card", "is_set_up", "succeeds"), OFF_SESSION)
def test_a_payment_without_the_payer_may_need_them_after_all(
    client: stripe.StripeClient, card: str, is_set_up: bool, succeeds: bool
) -> None:
    """Saving a card for it helps with some banks; others decline what they cannot ask about."""
    customer = client.v1.customers.create()
    if is_set_up:
        setup = set_up(client, card, customer=customer.id)
        answer_bank(setup, "complete")
        method = str(client.v1.setup_intents.retrieve(setup.id).payment_method)
    else:
        method = client.v1.payment_methods.attach(card, {"customer": customer.id}).id

    try:
        intent = pay(client, method, customer=customer.id, off_session=True)
    except stripe.CardError as refusal:
        body = declined(refusal)
        assert not succeeds
        assert (body["code"], body["decline_code"], body["message"]) == (
            "authentication_required",
            "authentication_required",
            ASK,
        )
        assert body["payment_intent"]["status"] == "requires_payment_method"
        assert events(client)[-3:] == FAILURE
        return

    assert succeeds
    assert intent.status == "succeeded"


@pytest.mark.parametrize(
    ("card", "result"),
    [
        ("pm_card_visa", "attempt_acknowledged"),
        ("pm_card_amex_threeDSecureNotSupported", "not_supported"),
        ("4000000032200000", "authenticated"),
    ],
)
def test_authentication_can_be_asked_for(client: stripe.StripeClient, card: str, result: str) -> None:
    """Where nobody can be asked, the bank only takes note."""
    intent = pay(client, card, payment_method_options={"card": {"request_three_d_secure": "any"}})

    charge = client.v1.charges.retrieve(str(intent.latest_charge))
    assert charge.payment_method_details is not None
    shown: Any = charge.payment_method_details.card
    assert shown.three_d_secure.result == result


def test_a_bank_that_can_ask_does_so_when_told_to(client: stripe.StripeClient) -> None:
    """Or cannot be reached: then the payment fails."""
    asked = {"card": {"request_three_d_secure": "challenge"}}

    waiting = pay(client, "pm_card_threeDSecureOptional", payment_method_options=asked)
    with pytest.raises(stripe.CardError) as refusal:
        pay(client, "pm_card_threeDSecureOptionalProcessingError", payment_method_options=asked)

    assert waiting.status == "requires_action"
    assert refusal.value.code == "processing_error"


@pytest.mark.parametrize(
    ("card", "reason", "network_code", "status"),
    [
        ("pm_card_createDispute", "fraudulent", "10.4", "needs_response"),
        ("pm_card_createDisputeProductNotReceived", "product_not_received", "13.1", "needs_response"),
        ("pm_card_createDisputeInquiry", "fraudulent", "10.4", "warning_needs_response"),
        ("4000000000000259", "fraudulent", "10.4", "needs_response"),
        ("4000000000002685", "product_not_received", "13.1", "needs_response"),
        ("4000000000001976", "fraudulent", "10.4", "warning_needs_response"),
    ],
)
def test_some_payments_are_disputed_at_once(
    client: stripe.StripeClient, card: str, reason: str, network_code: str, status: str
) -> None:
    """Between the charge's success and the intent's; an inquiry takes no money yet."""
    intent = pay(client, card)

    (dispute,) = client.v1.disputes.list({"payment_intent": intent.id}).data
    assert (dispute.reason, dispute.network_reason_code, dispute.status) == (reason, network_code, status)
    withdrawn = [] if status.startswith("warning") else ["charge.dispute.funds_withdrawn"]
    assert events(client) == [
        "payment_intent.created",
        "charge.succeeded",
        "charge.dispute.created",
        *withdrawn,
        "payment_intent.succeeded",
    ]
    assert client.v1.charges.retrieve(str(intent.latest_charge)).disputed is True


def test_one_payment_can_be_disputed_more_than_once(client: stripe.StripeClient) -> None:
    """The disputes share the payment's amount."""
    intent = pay(client, "pm_card_createMultipleDisputes")

    disputes = client.v1.disputes.list({"payment_intent": intent.id}).data
    assert (len(disputes), sum(dispute.amount for dispute in disputes)) == (2, 2500)


@pytest.mark.parametrize("card", ["pm_card_bypassPending", "pm_card_bypassPendingInternational"])
def test_some_money_is_available_at_once(client: stripe.StripeClient, controls: Controls, card: str) -> None:
    """Instead of two days later."""
    pay(client, card)
    controls.push(2)

    balance = client.v1.balance.retrieve()

    assert (balance.available[0].amount, balance.pending[0].amount) == (2500 - 103, 0)


@pytest.mark.parametrize("card", ["pm_card_createIssuerFraudRecord", "4000000000005423"])
def test_a_bank_can_warn_before_anybody_disputes(client: stripe.StripeClient, controls: Controls, card: str) -> None:
    """The payment stands; what to do about it is the merchant's choice."""
    intent = pay(client, card)
    controls.settle()

    (warning,) = client.v1.radar.early_fraud_warnings.list({"payment_intent": intent.id}).data
    assert (warning.charge, warning.actionable) == (intent.latest_charge, True)
    assert "radar.early_fraud_warning.created" in events(client)
