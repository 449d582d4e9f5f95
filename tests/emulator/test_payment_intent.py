"""Payment intents: one payment somebody is to make, through every try."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.conftest import LocalStripe
from tests.emulator.controls import Controls
from tests.emulator.paying import RETURN_URL, answer_bank, declined, events, pay

DAY = 24 * 3600


def open_intent(client: stripe.StripeClient, **changes: Any) -> stripe.PaymentIntent:
    """An intent nobody has paid yet."""
    params: Any = {"amount": 2500, "currency": "usd", **changes}
    return client.v1.payment_intents.create(params)


def test_an_intent_waits_for_a_payment_method(client: stripe.StripeClient) -> None:
    """With Stripe's defaults, and a secret for the browser."""
    intent = open_intent(client, metadata={"order": "7"})

    assert (intent.status, intent.capture_method, intent.confirmation_method) == (
        "requires_payment_method",
        "automatic_async",
        "automatic",
    )
    assert intent.automatic_payment_methods is not None
    assert intent.automatic_payment_methods.to_dict() == {"allow_redirects": "always", "enabled": True}
    assert str(intent.client_secret).startswith(f"{intent.id}_secret_")
    assert events(client) == ["payment_intent.created"]


def test_an_intent_is_paid_step_by_step(client: stripe.StripeClient, controls: Controls) -> None:
    """Chosen, confirmed, charged; the money is booked a moment later."""
    intent = open_intent(client, description="A book", metadata={"order": "7"}, receipt_email="ada@example.com")

    chosen = client.v1.payment_intents.update(intent.id, {"payment_method": "pm_card_visa"})
    paid = client.v1.payment_intents.confirm(intent.id, {"return_url": RETURN_URL, "expand": ["latest_charge"]})
    controls.push(1)

    assert chosen.status == "requires_confirmation"
    assert (paid.status, paid.amount_received) == ("succeeded", 2500)
    charge: Any = paid.latest_charge
    assert charge.id[3:15] == intent.id[3:15]
    assert (charge.description, charge.receipt_email, charge.metadata.to_dict()) == (
        "A book",
        "ada@example.com",
        {"order": "7"},
    )
    assert charge.balance_transaction is None
    assert events(client) == ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded"]
    newest = client.v1.events.list().data[0]
    assert newest.type == "charge.updated"
    assert newest.data.to_dict()["previous_attributes"] == {"balance_transaction": None}
    booked = client.v1.balance_transactions.list({"source": charge.id}).data[0]
    assert (booked.amount, booked.fee, booked.net, booked.status) == (2500, 103, 2397, "pending")


def test_booked_money_becomes_available_in_two_days(client: stripe.StripeClient, controls: Controls) -> None:
    """It is pending until then."""
    pay(client, "pm_card_visa")
    controls.push(1)
    before = client.v1.balance.retrieve()

    controls.push(3 * DAY)

    after = client.v1.balance.retrieve()
    assert (before.available[0].amount, before.pending[0].amount) == (0, 2397)
    assert (after.available[0].amount, after.pending[0].amount) == (2397, 0)


@pytest.mark.parametrize(
    ("params", "code", "message"),
    [
        ({"amount": 0}, "parameter_invalid_integer", "greater than or equal to 1"),
        ({"amount": 49}, "amount_too_small", r"Amount must be at least \$0.50 usd"),
        ({"amount": 29, "currency": "gbp"}, "amount_too_small", "Amount must be at least £0.30 gbp"),
        ({"amount": 100_000_000}, "amount_too_large", "Amount must be no more than"),
        ({"currency": "zzz"}, None, "Invalid currency: zzz. Stripe currently supports these currencies: usd, aed, afn"),
        ({"customer": "cus_x"}, "resource_missing", "No such customer: 'cus_x'"),
        ({"payment_method": "pm_x"}, "resource_missing", "No such PaymentMethod: 'pm_x'"),
        ({"payment_method_types": ["card"]}, "parameter_unknown", "Received unknown parameter: payment_method_types"),
        ({"return_url": RETURN_URL}, None, "unless `confirm` is set to true"),
        ({"application_fee_amount": 1}, None, "connected accounts are not modelled"),
    ],
)
def test_what_cannot_be_paid_is_refused(
    client: stripe.StripeClient, params: dict[str, Any], code: str | None, message: str
) -> None:
    """400 in Stripe's words, and nothing is kept."""
    with pytest.raises(stripe.InvalidRequestError, match=message) as refusal:
        open_intent(client, **params)

    assert (refusal.value.http_status, refusal.value.code) == (400, code)
    assert events(client) == []


def test_confirming_from_a_server_needs_a_way_back(client: stripe.StripeClient) -> None:
    """Unless only payment methods that never redirect are taken."""
    with pytest.raises(stripe.InvalidRequestError, match="you must provide a `return_url`"):
        pay(client, "pm_card_visa", return_url=None)

    stays: Any = {"enabled": True, "allow_redirects": "never"}
    intent = pay(client, "pm_card_visa", return_url=None, automatic_payment_methods=stays)

    assert intent.status == "succeeded"


@pytest.mark.parametrize("url", ["/thanks", "javascript:alert(1)", "http://[", "https://x.test/\nSet-Cookie: a=b"])
def test_the_way_back_is_an_address(client: stripe.StripeClient, url: str) -> None:
    """A browser will be sent there."""
    with pytest.raises(stripe.InvalidRequestError, match=r"Not a valid URL|An explicit scheme") as refusal:
        pay(client, "pm_card_authenticationRequired", return_url=url)

    assert (refusal.value.code, refusal.value.param) == ("url_invalid", "return_url")


def test_a_challenge_without_a_way_back_is_left_to_the_browser(client: stripe.StripeClient) -> None:
    """Then there is no page to send the payer to."""
    stays: Any = {"enabled": True, "allow_redirects": "never"}

    intent = pay(client, "pm_card_authenticationRequired", return_url=None, automatic_payment_methods=stays)

    assert intent.next_action is not None
    assert (intent.status, intent.next_action.type) == ("requires_action", "use_stripe_sdk")


def test_a_payment_that_would_need_the_payer_can_be_declined_instead(client: stripe.StripeClient) -> None:
    """For a server that has nobody to ask."""
    with pytest.raises(stripe.CardError) as refusal:
        pay(client, "pm_card_authenticationRequired", error_on_requires_action=True)

    assert refusal.value.code == "authentication_required"


def test_what_has_succeeded_is_not_confirmed_again(client: stripe.StripeClient) -> None:
    """The refusal carries the intent."""
    intent = pay(client, "pm_card_visa")

    with pytest.raises(stripe.InvalidRequestError, match="already succeeded after being previously") as refusal:
        client.v1.payment_intents.confirm(intent.id, {"return_url": RETURN_URL})

    body: Any = refusal.value.json_body
    assert refusal.value.code == "payment_intent_unexpected_state"
    assert body["error"]["payment_intent"]["id"] == intent.id


def test_confirming_needs_a_payment_method(client: stripe.StripeClient) -> None:
    """The customer's default is not taken by itself."""
    customer = client.v1.customers.create()

    with pytest.raises(stripe.InvalidRequestError, match="it's missing a payment method"):
        client.v1.payment_intents.confirm(open_intent(client).id, {"return_url": RETURN_URL})
    with pytest.raises(stripe.InvalidRequestError, match=f"To confirm the PaymentIntent with {customer.id}, specify"):
        client.v1.payment_intents.confirm(open_intent(client, customer=customer.id).id, {"return_url": RETURN_URL})


def test_a_payment_method_serves_only_its_owner(client: stripe.StripeClient) -> None:
    """Somebody else's is refused, and so is one used up without an owner."""
    ada, bob = client.v1.customers.create(), client.v1.customers.create()
    method = client.v1.payment_methods.attach("pm_card_visa", {"customer": ada.id})

    with pytest.raises(stripe.InvalidRequestError, match=f"does not belong to the Customer you supplied {bob.id}"):
        pay(client, method.id, customer=bob.id)
    with pytest.raises(stripe.InvalidRequestError, match=f"belongs to the Customer {ada.id}. Please include"):
        pay(client, method.id)
    used = pay(client, "pm_card_visa").payment_method
    with pytest.raises(stripe.InvalidRequestError, match="It may not be used again"):
        pay(client, str(used))


def test_a_card_can_be_kept_for_later(client: stripe.StripeClient) -> None:
    """It is attached when the payment succeeds, before the intent's own event."""
    customer = client.v1.customers.create()

    intent = pay(client, "pm_card_visa", customer=customer.id, setup_future_usage="off_session")

    assert events(client, "payment_intent.created") == [
        "charge.succeeded",
        "payment_method.attached",
        "payment_intent.succeeded",
    ]
    again = pay(client, str(intent.payment_method), customer=customer.id, off_session=True)
    assert again.status == "succeeded"


def test_money_can_be_held_and_taken_later(client: stripe.StripeClient) -> None:
    """A part of it too: the rest is let go."""
    held = pay(client, "pm_card_visa", capture_method="manual")
    assert (held.status, held.amount_capturable, held.amount_received) == ("requires_capture", 2500, 0)
    charge = client.v1.charges.retrieve(str(held.latest_charge))
    assert charge.payment_method_details is not None
    card: Any = charge.payment_method_details.card
    assert (charge.captured, card.capture_before - charge.created) == (False, 7 * DAY)

    taken = client.v1.payment_intents.capture(held.id, {"amount_to_capture": 2000})

    assert (taken.status, taken.amount_capturable, taken.amount_received) == ("succeeded", 0, 2000)
    assert client.v1.charges.retrieve(charge.id).amount_captured == 2000
    assert events(client) == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.amount_capturable_updated",
        "charge.captured",
        "payment_intent.succeeded",
    ]
    with pytest.raises(stripe.InvalidRequestError, match="could not be captured because it has a status of succeeded"):
        client.v1.payment_intents.capture(held.id)


def test_no_more_is_taken_than_is_held(client: stripe.StripeClient) -> None:
    """The refusal names both amounts."""
    held = pay(client, "pm_card_visa", capture_method="manual")

    with pytest.raises(stripe.InvalidRequestError, match=r"\$25.01.*\$25.00"):
        client.v1.payment_intents.capture(held.id, {"amount_to_capture": 2501})


def test_a_hold_ends_after_seven_days(client: stripe.StripeClient, controls: Controls) -> None:
    """Stripe cancels the intent by itself then."""
    held = pay(client, "pm_card_visa", capture_method="manual")

    controls.push(7 * DAY)

    intent = client.v1.payment_intents.retrieve(held.id)
    assert (intent.status, intent.cancellation_reason) == ("canceled", "automatic")


@pytest.mark.parametrize(
    ("card", "changes", "told"),
    [
        ("pm_card_visa", {"confirm": False, "return_url": None}, ["payment_intent.canceled"]),
        ("pm_card_visa", {"capture_method": "manual"}, ["charge.refunded", "payment_intent.canceled"]),
        ("pm_card_authenticationRequired", {}, ["payment_intent.canceled"]),
    ],
)
def test_an_intent_can_be_given_up(
    client: stripe.StripeClient, card: str, changes: dict[str, Any], told: list[str]
) -> None:
    """What was held is let go."""
    intent = pay(client, card, **changes)
    before = len(events(client))

    canceled = client.v1.payment_intents.cancel(intent.id, {"cancellation_reason": "abandoned"})

    assert (canceled.status, canceled.cancellation_reason, canceled.next_action) == ("canceled", "abandoned", None)
    assert canceled.canceled_at is not None
    assert events(client)[before:] == told


def test_what_is_over_is_not_given_up(client: stripe.StripeClient) -> None:
    """The refusal names the statuses in which it would have been possible."""
    intent = pay(client, "pm_card_visa")

    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.payment_intents.cancel(intent.id)

    assert refusal.value.code == "payment_intent_unexpected_state"
    assert refusal.value.user_message == (
        "You cannot cancel this PaymentIntent because it has a status of succeeded. Only a PaymentIntent with one of "
        "the following statuses may be canceled: requires_payment_method, requires_capture, requires_confirmation, "
        "requires_action, processing."
    )


def test_an_amount_is_settled_once_it_is_paid(client: stripe.StripeClient) -> None:
    """Before, it can change; a description can always."""
    intent = open_intent(client)
    assert client.v1.payment_intents.update(intent.id, {"amount": 3000}).amount == 3000
    paid = pay(client, "pm_card_visa")

    with pytest.raises(stripe.InvalidRequestError, match="amount could not be updated because it has a status of suc"):
        client.v1.payment_intents.update(paid.id, {"amount": 3000})
    assert client.v1.payment_intents.update(paid.id, {"description": "A book"}).description == "A book"


def test_a_browser_confirms_with_the_client_secret(
    client: stripe.StripeClient, local_stripe: LocalStripe, key: str
) -> None:
    """A publishable key opens one intent, to whoever knows its secret."""
    browser = local_stripe.client(key.replace("sk_", "pk_"))
    intent = open_intent(client)
    shown: Any = {"client_secret": intent.client_secret}

    params: Any = {**shown, "payment_method": "pm_card_authenticationRequired", "return_url": RETURN_URL}
    waiting = browser.v1.payment_intents.confirm(intent.id, params)
    answer_bank(waiting, "complete")

    assert browser.v1.payment_intents.retrieve(intent.id, shown).status == "succeeded"
    for wrong in ({}, {"client_secret": f"{intent.id}_secret_guessed"}, {"client_secret": "é"}):
        params = wrong
        with pytest.raises(stripe.InvalidRequestError, match="No such payment_intent"):
            browser.v1.payment_intents.retrieve(intent.id, params)
        with pytest.raises(stripe.InvalidRequestError, match="No such payment_intent"):
            browser.v1.payment_intents.confirm(intent.id, params)
    with pytest.raises(stripe.AuthenticationError):
        browser.v1.payment_intents.cancel(intent.id)


def test_a_declined_create_is_replayed_not_repeated(client: stripe.StripeClient) -> None:
    """The same key gives the same refusal, and no second charge."""
    params: Any = {
        "amount": 2500,
        "currency": "usd",
        "confirm": True,
        "payment_method": "pm_card_visa_chargeDeclined",
        "return_url": RETURN_URL,
    }

    refusals = []
    for _ in range(2):
        with pytest.raises(stripe.CardError) as refusal:
            client.v1.payment_intents.create(params, {"idempotency_key": "order-7"})
        refusals.append(declined(refusal.value))

    assert refusals[0] == refusals[1]
    assert len(client.v1.charges.list().data) == 1


def test_the_bank_is_answered_once(client: stripe.StripeClient) -> None:
    """A second press of the button changes nothing."""
    waiting = pay(client, "pm_card_authenticationRequired")
    answer_bank(waiting, "complete")
    before = events(client)

    answer_bank(waiting, "complete")
    answer_bank(waiting, "fail")

    assert events(client) == before
    assert client.v1.payment_intents.retrieve(waiting.id).status == "succeeded"


def test_a_manual_confirmation_waits_for_the_server_again(client: stripe.StripeClient) -> None:
    """After the challenge the server confirms once more, and only then the card is charged."""
    waiting = pay(client, "pm_card_authenticationRequired", confirmation_method="manual")

    answer_bank(waiting, "complete")

    assert client.v1.payment_intents.retrieve(waiting.id).status == "requires_confirmation"
    assert client.v1.payment_intents.confirm(waiting.id, {"return_url": RETURN_URL}).status == "succeeded"


def test_a_currency_can_change_before_the_payment(client: stripe.StripeClient) -> None:
    """Its minimum then counts, and the payment methods that know it."""
    intent = open_intent(client, automatic_payment_methods={"enabled": False})

    assert client.v1.payment_intents.update(intent.id, {"currency": "jpy"}).payment_method_types == ["card"]
    with pytest.raises(stripe.InvalidRequestError, match="Amount must be at least ¥50 jpy"):
        client.v1.payment_intents.update(intent.id, {"amount": 49})


@pytest.mark.parametrize(
    "narrowed", [{"allowed_payment_method_types": ["card"]}, {"excluded_payment_method_types": ["us_bank_account"]}]
)
@pytest.mark.parametrize("when", ["update", "confirm"])
def test_what_may_be_paid_with_can_be_narrowed_later(
    client: stripe.StripeClient, narrowed: dict[str, Any], when: str
) -> None:
    """What an intent takes no longer is refused."""
    intent = open_intent(client)
    assert intent.payment_method_types == ["card", "us_bank_account"]
    by_bank: Any = {"payment_method": "pm_usBankAccount_success", "return_url": RETURN_URL}

    if when == "update":
        change: Any = narrowed
        assert client.v1.payment_intents.update(intent.id, change).payment_method_types == ["card"]
    else:
        by_bank |= narrowed

    with pytest.raises(stripe.InvalidRequestError, match="is not allowed for this PaymentIntent"):
        client.v1.payment_intents.confirm(intent.id, by_bank)


def test_a_customer_who_left_still_pays(client: stripe.StripeClient) -> None:
    """Deleted while their bank asked: the payment goes on, and nothing is kept with nobody."""
    customer = client.v1.customers.create()
    waiting = pay(client, "pm_card_authenticationRequired", customer=customer.id, setup_future_usage="off_session")
    client.v1.customers.delete(customer.id)

    answer_bank(waiting, "complete")

    assert client.v1.payment_intents.retrieve(waiting.id).status == "succeeded"


def test_intents_are_listed_and_searched(client: stripe.StripeClient) -> None:
    """By customer, and by what they hold."""
    customer = client.v1.customers.create()
    mine = open_intent(client, customer=customer.id, metadata={"order": "7"})
    open_intent(client)

    assert [intent.id for intent in client.v1.payment_intents.list({"customer": customer.id}).data] == [mine.id]
    found = client.v1.payment_intents.search({"query": "metadata['order']:'7' AND amount>2000"})
    assert [intent.id for intent in found.data] == [mine.id]


def test_an_unknown_intent_is_a_404(client: stripe.StripeClient) -> None:
    """In Stripe's words, with the param it names for intents."""
    with pytest.raises(stripe.InvalidRequestError, match="No such payment_intent: 'pi_x'") as refusal:
        client.v1.payment_intents.retrieve("pi_x")

    assert (refusal.value.http_status, refusal.value.param) == (404, "intent")
