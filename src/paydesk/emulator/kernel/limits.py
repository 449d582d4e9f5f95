"""Rate limits: requests a second, for the sandbox as a whole and for each endpoint. Off unless switched on."""

from __future__ import annotations

from collections import defaultdict

from paydesk.emulator.kernel.errors import StripeError

GLOBAL_TEST = 25
GLOBAL_LIVE = 100
ENDPOINT = 25
SEARCH = 20

_TEST_TEXT = (
    "Testmode request rate limit exceeded, the rate limits in testmode are lower than livemode. "
    "You can learn more about rate limits here https://stripe.com/docs/rate-limits."
)
_LIVE_TEXT = (
    "Request rate limit exceeded. You can learn more about rate limits here https://stripe.com/docs/rate-limits."
)


class RateLimits:
    """Counts what each sandbox asked in the current second."""

    def __init__(self) -> None:
        self._second = 0
        self._counts: dict[tuple[int, str], int] = defaultdict(int)

    def check(self, sandbox: int, endpoint: str, *, livemode: bool, second: int) -> None:
        """Count one request, and refuse it with 429 where a limit is passed."""
        if second != self._second:
            self._second = second
            self._counts.clear()
        if self._count(sandbox, "") > (GLOBAL_LIVE if livemode else GLOBAL_TEST):
            raise _refusal("global-rate", livemode=livemode)
        if self._count(sandbox, endpoint) > (SEARCH if endpoint.endswith("/search") else ENDPOINT):
            raise _refusal("endpoint-rate", livemode=livemode)

    def _count(self, sandbox: int, endpoint: str) -> int:
        self._counts[(sandbox, endpoint)] += 1
        return self._counts[(sandbox, endpoint)]


def _refusal(reason: str, *, livemode: bool) -> StripeError:
    return StripeError(
        _LIVE_TEXT if livemode else _TEST_TEXT,
        status=429,
        code="rate_limit",
        headers={"Stripe-Rate-Limited-Reason": reason},
    )
