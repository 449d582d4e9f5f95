"""The only caller of Stripe: every request the library makes goes through here.

It adds what the official client leaves out: patience. A busy or unreachable
Stripe is asked again, after a growing pause, with the very same idempotency
key; a refusal is final and is raised as one of our own errors.
"""

from __future__ import annotations

import os
import random
import threading
import time
from typing import TYPE_CHECKING, TypeVar

from paydesk.billing.log import get_logger, redact
from paydesk.billing.watch import Watch
from paydesk.errors import StripeRefused, StripeUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import stripe
    from pydantic import SecretStr

    from paydesk.billing.settings import Settings

    Ask = Callable[[stripe.StripeClient], "T"]
    AskOnce = Callable[[stripe.StripeClient, stripe.RequestOptions], "T"]

T = TypeVar("T")
logger = get_logger(__name__)

TRIES_MAX = 4
PAUSE_FIRST_SECONDS = 0.5
PAUSE_MAX_SECONDS = 8.0

# A person may be waiting for the page: Stripe asking for more patience than this is told that we come back later.
RETRY_AFTER_MAX_SECONDS = 20.0

CONNECT_TIMEOUT_SECONDS = 5.0
READ_TIMEOUT_SECONDS = 30.0

# Stripe allows 25 requests a second in test mode, counted over the whole account. Work nobody waits for
# stays well below, so that it never starves a checkout.
BACKGROUND_PER_SECOND = 15.0
BACKGROUND_BURST = 15.0


class StripeApi:
    """A patient client for one key. Safe to share between threads.

    Raises StripeRefused where asking again is useless, StripeUnavailable where
    it is safe and may help.
    """

    def __init__(
        self,
        key: SecretStr,
        api_base: str,
        *,
        tries_max: int = TRIES_MAX,
        sleep: Callable[[float], None] = time.sleep,
        now_seconds: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
        http_client: stripe.HTTPClient | None = None,
    ) -> None:
        """`http_client` carries the requests in place of the official client's own. `watch` hears of each.

        `sleep` is how whatever works with Stripe waits for it.
        """
        self.watch = Watch()
        self._key = key
        self._http_client = http_client
        self._api_base = api_base
        self._tries_max = tries_max
        self.sleep = sleep
        self._chance = chance
        self._clients: dict[tuple[int, int], stripe.StripeClient] = {}
        self._clients_lock = threading.Lock()
        self._background = TokenBucket(BACKGROUND_PER_SECOND, BACKGROUND_BURST, sleep=sleep, now_seconds=now_seconds)

    @classmethod
    def of(cls, settings: Settings) -> StripeApi:
        """The client these settings ask for."""
        return cls(settings.stripe_secret_key, settings.stripe_api_base)

    @property
    def client(self) -> stripe.StripeClient:
        """The official client, configured, for whatever we have no verb for."""
        return self._client(retries=2)

    def read(self, doing: str, ask: Ask[T], *, is_background: bool = False) -> T:
        """Ask for something that changes nothing. `doing` completes "Stripe refused …": "to show …"."""
        if is_background:
            self._background.take()
        return self._patiently(doing, lambda: ask(self._client(retries=0)))

    def write(self, doing: str, key: str, ask: AskOnce[T]) -> T:
        """Ask for a change under an idempotency key, which `ask` passes on as its options.

        Without a key of our own, each try would be a new request to Stripe.
        """
        return self._patiently(doing, lambda: ask(self._client(retries=0), {"idempotency_key": key}))

    def _patiently(self, doing: str, ask: Callable[[], T]) -> T:
        import stripe

        for number in range(1, self._tries_max + 1):
            try:
                return ask()
            except stripe.StripeError as error:
                reason = self._reason(error)
                if is_refusal(error):
                    raise _refused(doing, error, reason) from error
                pause = pause_seconds(number, error.headers, self._chance())
                if number == self._tries_max or pause is None or not is_worth_retrying(error):
                    raise StripeUnavailable(doing, reason, tries=number) from error
                logger.warning("Stripe is not ready %s (%s), asking again in %.1f s", doing, reason, pause)
                self.sleep(pause)
        raise AssertionError("unreachable: the last try returns or raises")

    def _reason(self, error: stripe.StripeError) -> str:
        import stripe

        if isinstance(error, stripe.APIConnectionError):
            # The client's own text is a paragraph of advice around the same news.
            return f"no connection to {self._api_base}, or no answer from it"
        return redact(str(error.user_message or error))

    def _client(self, *, retries: int) -> stripe.StripeClient:
        with self._clients_lock:
            # A client keeps connections open. After a fork they are the parent's.
            key = (os.getpid(), retries)
            if key not in self._clients:
                self._clients[key] = self._build(retries)
            return self._clients[key]

    def _build(self, retries: int) -> stripe.StripeClient:
        # The SDK takes most of a process's start-up time, so it is loaded by the first call.
        import stripe

        from paydesk.billing.stripe_calls import WatchedClient

        patience = (CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS)
        carrier = self._http_client or stripe.RequestsClient(timeout=patience)
        return stripe.StripeClient(
            self._key.get_secret_value(),
            base_addresses={"api": self._api_base},
            max_network_retries=retries,
            http_client=WatchedClient(carrier, self.watch),
        )


def is_refusal(error: stripe.StripeError) -> bool:
    """Whether Stripe has decided. After anything else, such as a crash at Stripe's, the thing may have been done."""
    import stripe

    status = error.http_status
    if isinstance(error, stripe.IdempotencyError):
        return False  # it speaks of the key, which an earlier try may have used, not of what was asked for
    if status is None or _code(error) in {"rate_limit", "lock_timeout"}:
        return False
    return 400 <= status < 500 and status not in {409, 429}


def is_worth_retrying(error: stripe.StripeError) -> bool:
    """Whether the same request may be answered within seconds. What Stripe says about it goes first."""
    import stripe

    said = _header(error.headers, "stripe-should-retry")
    if said in {"true", "false"}:
        return said == "true"
    if isinstance(error, stripe.APIConnectionError):
        return bool(error.should_retry)
    return not isinstance(error, stripe.IdempotencyError) or error.http_status == 409


def pause_seconds(number: int, headers: Mapping[str, str] | None, chance: float) -> float | None:
    """How long to wait after the `number`th try; None if Stripe wants more patience than anyone here has."""
    asked = _header(headers, "retry-after")
    if asked is not None and asked.isdecimal():
        return float(asked) if float(asked) <= RETRY_AFTER_MAX_SECONDS else None
    pause = min(PAUSE_FIRST_SECONDS * 2.0 ** (number - 1), PAUSE_MAX_SECONDS)
    return pause * (0.5 + chance / 2)


class TokenBucket:
    """So many a second, with a burst: `take` waits for its turn."""

    def __init__(
        self, per_second: float, burst: float, *, sleep: Callable[[float], None], now_seconds: Callable[[], float]
    ) -> None:
        self._per_second = per_second
        self._burst = burst
        self._sleep = sleep
        self._now_seconds = now_seconds
        self._tokens = burst
        self._filled_at = now_seconds()
        self._lock = threading.Lock()

    def take(self) -> None:
        """Take one token, waiting for it if there is none. Tokens are promised in the order they are asked for."""
        with self._lock:
            now = self._now_seconds()
            self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._per_second)
            self._filled_at = now
            self._tokens -= 1
            wait = -self._tokens / self._per_second
        if wait > 0:
            self._sleep(wait)


def _refused(doing: str, error: stripe.StripeError, reason: str) -> StripeRefused:
    return StripeRefused(
        doing,
        reason,
        status=error.http_status,
        code=_code(error),
        param=getattr(error, "param", None),
        request_id=error.request_id,
    )


def _code(error: stripe.StripeError) -> str | None:
    """Stripe's code; some of the client's exceptions leave it in the body."""
    return error.code or (error.error.code if error.error is not None else None)


def _header(headers: Mapping[str, str] | None, name: str) -> str | None:
    """A response header's value. Which HTTP library carried it decides how names are spelled."""
    return next((value for key, value in (headers or {}).items() if key.lower() == name), None)
