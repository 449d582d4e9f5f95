"""Confirming: what a bank makes of a payment, or of saving a card. Decided here, done by the intents."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final
from urllib.parse import urlencode, urlsplit, urlunsplit

from paydesk.emulator.rules import declines
from paydesk.emulator.rules.cards import Authentication, Card
from paydesk.emulator.rules.declines import Decline


class ThreeDSecure(Enum):
    """How an authentication went: Stripe's `result`, the flow it took, and the liability indicator."""

    AUTHENTICATED = ("authenticated", "challenge", "05")
    FRICTIONLESS = ("authenticated", "frictionless", "05")
    ACKNOWLEDGED = ("attempt_acknowledged", "frictionless", "06")
    UNSUPPORTED = ("not_supported", None, "07")


@dataclass(frozen=True)
class Accept:
    """The bank says yes; with what came of the authentication, if there was one."""

    three_d_secure: ThreeDSecure | None = None


@dataclass(frozen=True)
class Challenge:
    """The bank wants to hear it from the card's holder."""


@dataclass(frozen=True)
class Refuse:
    """The bank says no."""

    decline: Decline


Verdict = Accept | Challenge | Refuse

_ASKED_FOR: Final = frozenset({"any", "challenge"})
_ON_SESSION: Final = frozenset({Authentication.ALWAYS, Authentication.UNLESS_SET_UP, Authentication.UNLESS_OFF_SESSION})


def decide(
    card: Card,
    *,
    off_session: bool = False,
    is_set_up: bool = False,
    is_authenticated: bool = False,
    requested: str = "automatic",
    saves_only: bool = False,
) -> Verdict:
    """What the bank says.

    `off_session`: the payer is not there. `is_set_up`: the card was saved for such payments. `is_authenticated`: its
    holder has just been asked and agreed. `requested` is `request_three_d_secure`. `saves_only`: nothing is charged.
    """
    if not is_authenticated and _wants_to_ask(card, off_session=off_session, is_set_up=is_set_up, requested=requested):
        return Refuse(declines.AUTHENTICATION_REQUIRED) if off_session else Challenge()
    if card.authentication is Authentication.LOOKUP_FAILS:
        return Refuse(declines.GENERIC)
    if card.authentication is Authentication.OPTIONAL_FAILS and requested in _ASKED_FOR:
        return Refuse(declines.PROCESSING_ERROR)
    decline = card.at_attach if saves_only else card.declines
    # A card that is declined only after it was asked for can still be saved.
    if decline is not None and not (saves_only and card.authentication is Authentication.ALWAYS):
        return Refuse(decline)
    return Accept(_result(card, is_authenticated=is_authenticated, requested=requested))


def _wants_to_ask(card: Card, *, off_session: bool, is_set_up: bool, requested: str) -> bool:
    match card.authentication:
        case Authentication.ALWAYS:
            return True
        case Authentication.UNLESS_SET_UP:
            return not (off_session and is_set_up)
        case Authentication.UNLESS_OFF_SESSION:
            return not off_session
        case Authentication.OPTIONAL:
            return requested in _ASKED_FOR and not off_session
        case _:
            return False


def _result(card: Card, *, is_authenticated: bool, requested: str) -> ThreeDSecure | None:
    if is_authenticated:
        return ThreeDSecure.AUTHENTICATED
    if card.authentication is Authentication.FRICTIONLESS:
        return ThreeDSecure.FRICTIONLESS
    if requested not in _ASKED_FOR:
        return None
    return ThreeDSecure.UNSUPPORTED if card.authentication is Authentication.UNSUPPORTED else ThreeDSecure.ACKNOWLEDGED


def three_d_secure_hash(how: ThreeDSecure | None, seed: str) -> dict[str, Any] | None:
    """`three_d_secure` of a charge or a setup attempt; `seed` makes its transaction id."""
    if how is None:
        return None
    result, flow, indicator = how.value
    return {
        "authentication_flow": flow,
        "electronic_commerce_indicator": indicator,
        "exemption_indicator": None,
        "result": result,
        "result_reason": None if result == "authenticated" else "card_not_enrolled",
        "transaction_id": str(uuid.uuid5(uuid.NAMESPACE_OID, seed)),
        "version": "2.2.0",
    }


def challenge_action(
    intent: dict[str, Any], *, base_url: str, account: str, attempt: str, return_url: str | None
) -> dict[str, Any]:
    """`next_action` of an intent whose payer must go to the bank's page, and come back to `return_url`."""
    kind = intent["object"]
    url = f"{base_url}/3d_secure_2/hosted?" + urlencode(
        {
            "merchant": account,
            kind: intent["id"],
            f"{kind}_client_secret": intent["client_secret"],
            "source": attempt,
        }
    )
    if return_url is not None:
        return {"redirect_to_url": {"return_url": return_url, "url": url}, "type": "redirect_to_url"}
    # Stripe.js finds its way from this blob; here it is enough to know where the challenge is.
    return {
        "type": "use_stripe_sdk",
        "use_stripe_sdk": {"source": attempt, "stripe_js": url, "type": "three_d_secure_redirect"},
    }


def landing_url(intent: dict[str, Any], return_url: str, *, passed: bool) -> str:
    """Where the browser goes after the challenge: `return_url` with what it is about and how it went."""
    kind = intent["object"]
    added = urlencode(
        {
            kind: intent["id"],
            f"{kind}_client_secret": intent["client_secret"],
            "redirect_status": "succeeded" if passed else "failed",
        }
    )
    parts = urlsplit(return_url)
    return urlunsplit(parts._replace(query=f"{parts.query}&{added}" if parts.query else added))
