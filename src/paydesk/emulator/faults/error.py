"""An API request is refused before anything is done: 429, 500, or any other status."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from paydesk.emulator.faults.fault import ApiFault
from paydesk.emulator.kernel.errors import StripeError

_TYPES = {402: "card_error"}
_CODES = {402: "card_declined", 429: "rate_limit"}
_MESSAGES = {
    402: "Your card was declined.",
    429: "Request rate limit exceeded. You can learn more about rate limits here https://stripe.com/docs/rate-limits.",
}
_HEADERS = {429: {"Stripe-Rate-Limited-Reason": "global-rate"}}


@dataclass(frozen=True)
class Error(ApiFault):
    """`code` and `message` replace what Stripe says with this status."""

    name: ClassVar[str] = "error"
    status: int = 500
    code: str = ""
    message: str = ""

    async def before(self) -> None:
        raise StripeError(
            self.message or _MESSAGES.get(self.status, "An unknown error occurred (a fault that was asked for)."),
            status=self.status,
            type=_TYPES.get(self.status, "api_error" if self.status >= 500 else "invalid_request_error"),
            code=self.code or _CODES.get(self.status),
            headers=_HEADERS.get(self.status),
        )
