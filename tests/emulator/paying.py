"""What tests of payments do again and again."""

from __future__ import annotations

from typing import Any

import httpx2
import stripe

RETURN_URL = "http://127.0.0.1:9/back?order=7"


def pay(client: stripe.StripeClient, card: str, **changes: Any) -> stripe.PaymentIntent:
    """A payment of $25.00 with a card's magic id, or (given by its number) as somebody types it."""
    params: Any = {
        "amount": 2500,
        "currency": "usd",
        "confirm": True,
        "return_url": RETURN_URL,
        **chosen(card),
        **changes,
    }
    return client.v1.payment_intents.create(params)


def set_up(client: stripe.StripeClient, card: str, **changes: Any) -> stripe.SetupIntent:
    """A card saved for later."""
    params: Any = {"confirm": True, "return_url": RETURN_URL, **chosen(card), **changes}
    return client.v1.setup_intents.create(params)


def chosen(card: str) -> dict[str, Any]:
    """A card by its magic id or its number, as intents take it."""
    return {"payment_method_data": typed(card)} if card.isdecimal() else {"payment_method": card}


def typed(number: str) -> dict[str, Any]:
    """A card as somebody types it."""
    return {"type": "card", "card": {"number": number, "exp_month": 12, "exp_year": 2040, "cvc": "123"}}


def answer_bank(intent: stripe.PaymentIntent | stripe.SetupIntent, answer: str) -> httpx2.Response:
    """The card's holder presses a button on the bank's page: `complete`, `fail` or `cancel`."""
    assert intent.next_action is not None
    assert intent.next_action.redirect_to_url is not None
    url = intent.next_action.redirect_to_url.url
    assert url is not None
    return httpx2.post(url, data={"answer": answer}, follow_redirects=False, trust_env=False)


def events(client: stripe.StripeClient, after: str = "") -> list[str]:
    """The types of what happened, oldest first; `after` leaves out everything up to the last event of that type.

    `charge.updated` is left out: it tells, within a second of a payment, that the money was booked.
    """
    told: list[str] = [
        event.type for event in reversed(client.v1.events.list({"limit": 100}).data) if event.type != "charge.updated"
    ]
    return told[len(told) - told[::-1].index(after) :] if after else told


def declined(error: stripe.CardError) -> dict[str, Any]:
    """The body of a refusal."""
    body: Any = error.json_body
    envelope: dict[str, Any] = body["error"]
    return envelope
