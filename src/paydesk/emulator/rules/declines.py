"""Declines: how a bank says no, in the API's words and in the payer's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from paydesk.emulator.kernel.errors import DOCUMENTATION, StripeError


@dataclass(frozen=True)
class Decline:
    """A refusal of a card.

    `reason` is what the charge's outcome names when there is no decline code. `bank_code` is the network's own code.
    `is_blocked` tells that the bank was never asked.
    """

    code: str
    message: str
    decline_code: str | None = None
    reason: str = ""
    bank_code: str | None = None
    advice: str | None = "try_again_later"
    param: str | None = None
    is_blocked: bool = False

    @property
    def why(self) -> str:
        """The reason, as `outcome.reason` gives it."""
        return self.reason or self.decline_code or self.code

    def details(self) -> dict[str, Any]:
        """What an error body and `last_payment_error` say of it, without the objects concerned."""
        told = {
            "advice_code": self.advice,
            "code": self.code,
            "decline_code": self.decline_code,
            "doc_url": DOCUMENTATION + self.code.replace("_", "-"),
            "message": self.message,
            "network_decline_code": self.bank_code,
            "param": self.param,
            "type": "card_error",
        }
        return {name: value for name, value in told.items() if value is not None}

    def error(self, *, keeps_work: bool = False, **objects: Any) -> StripeError:
        """402, with the objects that tell how far it came."""
        return StripeError(
            self.message,
            status=402,
            type="card_error",
            code=self.code,
            param=self.param,
            keeps_work=keeps_work,
            advice_code=self.advice,
            decline_code=self.decline_code,
            network_decline_code=self.bank_code,
            **objects,
        )

    def outcome(self) -> dict[str, Any]:
        """The `outcome` of the failed charge."""
        return {
            "advice_code": self.advice,
            "network_advice_code": None,
            "network_decline_code": self.bank_code,
            "network_status": "not_sent_to_network" if self.is_blocked else "declined_by_network",
            "reason": self.why,
            "risk_level": "highest" if self.is_blocked else "normal",
            "risk_score": 82 if self.is_blocked else 24,
            "seller_message": self._seller_message(),
            "type": "blocked" if self.is_blocked else "issuer_declined",
        }

    def _seller_message(self) -> str:
        if self.is_blocked:
            return "Stripe blocked this charge as too risky."
        if self.why == "generic_decline":
            return "The bank did not return any further details with this decline."
        return f"The bank returned the decline code `{self.why}`."


_NEVER_AGAIN: Final = "do_not_try_again"
_CHECK_THE_CARD: Final = "confirm_card_data"
_DECLINED: Final = "Your card was declined."

GENERIC: Final = Decline("card_declined", _DECLINED, "generic_decline", bank_code="01")
INSUFFICIENT_FUNDS: Final = Decline(
    "card_declined", "Your card has insufficient funds.", "insufficient_funds", bank_code="51"
)
# The payer must not learn that the card was reported: the message says nothing.
LOST_CARD: Final = Decline("card_declined", _DECLINED, "lost_card", bank_code="41", advice=_NEVER_AGAIN)
STOLEN_CARD: Final = Decline("card_declined", _DECLINED, "stolen_card", bank_code="43", advice=_NEVER_AGAIN)
EXPIRED_CARD: Final = Decline("expired_card", "Your card has expired.", bank_code="54", advice=_NEVER_AGAIN)
INCORRECT_CVC: Final = Decline(
    "incorrect_cvc", "Your card's security code is incorrect.", bank_code="N7", advice=_CHECK_THE_CARD
)
PROCESSING_ERROR: Final = Decline(
    "processing_error", "An error occurred while processing your card. Try again in a little bit.", bank_code="96"
)
VELOCITY: Final = Decline(
    "card_declined",
    "Your card was declined for making repeated attempts too frequently or exceeding its amount limit.",
    "card_velocity_exceeded",
    bank_code="61",
)
FRAUDULENT: Final = Decline(
    "card_declined", _DECLINED, "fraudulent", reason="highest_risk_level", advice=None, is_blocked=True
)
AUTHENTICATION_REQUIRED: Final = Decline(
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
    "authentication_required",
    bank_code="1A",
    advice=None,
)
NOT_A_TEST_CARD: Final = Decline(
    "card_declined",
    "Your card was declined. Your request was in test mode, but used a non test card. For a list of valid test cards, "
    "visit: https://stripe.com/docs/testing.",
    "test_mode_live_card",
    advice=None,
)
ONLY_A_TEST_CARD: Final = Decline(
    "card_declined",
    "Your card was declined. Your request was in live mode, but used a known test card.",
    "live_mode_test_card",
    advice=None,
)

_ON_PAGE: Final = {
    "expired_card": "Your card is expired. Try a different card.",
    "incorrect_cvc": "Your card's CVC is incorrect.",
    "processing_error": "An error occurred while processing your card. Try again in a little bit.",
}


def on_page(code: str | None, decline_code: str | None, message: str, funding: str = "credit") -> str:
    """The sentence a payer reads on a hosted page. `funding` is the card's: it names the other kind to try."""
    if code in _ON_PAGE:
        return _ON_PAGE[code]
    if code != "card_declined" or decline_code in ("test_mode_live_card", "live_mode_test_card"):
        return message
    if funding not in ("credit", "debit"):
        return "Your card was declined. Please try a different card."
    because = " because of insufficient funds" if decline_code == "insufficient_funds" else ""
    other = "debit" if funding == "credit" else "credit"
    return f"Your {funding} card was declined{because}. Try paying with a {other} card instead."
