"""The bank's page, for payments of any kind."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
import stripe

from tests.conftest import LocalStripe
from tests.emulator.wire import Wire

RETURN_URL = "http://127.0.0.1:9/back?order=7"


@pytest.fixture
def visitor(local_stripe: LocalStripe) -> Wire:
    """Somebody with an address and no key."""
    return Wire(local_stripe.url, None)


def waiting(client: stripe.StripeClient, method: str = "pm_card_authenticationRequired") -> stripe.PaymentIntent:
    """A payment intent whose payer must go to their bank."""
    intent = client.v1.payment_intents.create(
        {"amount": 2000, "currency": "usd", "payment_method": method, "confirm": True, "return_url": RETURN_URL}
    )
    assert intent.status == "requires_action"
    return intent


def challenge(intent: stripe.PaymentIntent | stripe.SetupIntent) -> str:
    """The path of the bank's page."""
    assert intent.next_action is not None
    assert intent.next_action.redirect_to_url is not None
    parts = urlsplit(str(intent.next_action.redirect_to_url.url))
    return f"{parts.path}?{parts.query}"


@pytest.mark.parametrize(
    ("answer", "landed", "status"),
    [
        ("complete", "succeeded", "succeeded"),
        ("fail", "failed", "requires_payment_method"),
        ("cancel", "failed", "requires_payment_method"),
    ],
)
def test_the_payer_comes_back_to_the_return_url(
    client: stripe.StripeClient, visitor: Wire, answer: str, landed: str, status: str
) -> None:
    """With the intent, its secret and how it went, beside what the address already said."""
    intent = waiting(client)
    page = visitor.get(challenge(intent))
    assert (page.status, b"$20.00" in page.body, b"3184" in page.body) == (200, True, True)

    going = visitor.post(challenge(intent), f"answer={answer}")

    assert going.status == 303
    told = {name: values[0] for name, values in parse_qs(urlsplit(going.headers["location"]).query).items()}
    assert told == {
        "order": "7",
        "payment_intent": intent.id,
        "payment_intent_client_secret": intent.client_secret,
        "redirect_status": landed,
    }
    assert client.v1.payment_intents.retrieve(intent.id).status == status


def test_a_decline_after_the_challenge_comes_back_as_failed(client: stripe.StripeClient, visitor: Wire) -> None:
    """4000 0082 6000 3178: authenticated, and then there is no money."""
    intent = waiting(client, "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds")

    going = visitor.post(challenge(intent), "answer=complete")

    assert "redirect_status=failed" in going.headers["location"]


def test_saving_a_card_is_asked_for_too(client: stripe.StripeClient, visitor: Wire) -> None:
    """A setup intent's page names no amount."""
    intent = client.v1.setup_intents.create(
        {"payment_method": "pm_card_authenticationRequired", "confirm": True, "return_url": RETURN_URL}
    )
    page = visitor.get(challenge(intent))
    assert (page.status, b"Amount" in page.body) == (200, False)

    visitor.post(challenge(intent), "answer=complete")

    assert client.v1.setup_intents.retrieve(intent.id).status == "succeeded"


def test_an_answer_counts_once(client: stripe.StripeClient, visitor: Wire) -> None:
    """A second answer changes nothing, and is told so."""
    intent = waiting(client)
    visitor.post(challenge(intent), "answer=complete")

    again = visitor.post(challenge(intent), "answer=fail")

    assert (again.status, b"Your bank has your answer" in again.body) == (200, True)
    assert client.v1.payment_intents.retrieve(intent.id).status == "succeeded"


@pytest.mark.parametrize("secret", ["", "pi_wrong_secret_wrong", "%C3%A9"])
def test_nobody_answers_without_the_secret(client: stripe.StripeClient, visitor: Wire, secret: str) -> None:
    """The intent's id alone opens nothing."""
    intent = waiting(client)
    path = f"/3d_secure_2/hosted?payment_intent={intent.id}&payment_intent_client_secret={secret}"

    assert visitor.get(path).status == 404
    assert visitor.post(path, "answer=complete").status == 404
    assert client.v1.payment_intents.retrieve(intent.id).status == "requires_action"


def test_an_empty_answer_is_no_consent(client: stripe.StripeClient, visitor: Wire) -> None:
    """Only Complete completes."""
    intent = waiting(client)

    visitor.post(challenge(intent), "")

    assert client.v1.payment_intents.retrieve(intent.id).status == "requires_payment_method"


def test_a_receipt_shows_what_was_paid_and_given_back(client: stripe.StripeClient, visitor: Wire) -> None:
    """At the charge's `receipt_url`; a failed charge has none."""
    intent = client.v1.payment_intents.create(
        {
            "amount": 2000,
            "currency": "usd",
            "payment_method": "pm_card_mastercard",
            "confirm": True,
            "return_url": RETURN_URL,
            "expand": ["latest_charge"],
        }
    )
    assert isinstance(intent.latest_charge, stripe.Charge)
    client.v1.refunds.create({"payment_intent": intent.id, "amount": 500})

    page = visitor.get(urlsplit(str(intent.latest_charge.receipt_url)).path).body.decode()

    for words in ("$20.00", "Mastercard •••• 4444", "−$5.00", "$15.00"):
        assert words in page
    assert visitor.get("/receipts/ch_nothing").status == 404
