"""A test's own Stripe: empty, or with a catalog on sale, and gone afterwards."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from paydesk.emulator.faults import FAULTS
from paydesk.emulator.rules import spans
from paydesk.testing.misuse import Misused

if TYPE_CHECKING:
    import stripe

    from paydesk.billing.catalog import Catalog
    from paydesk.testing.server import Server


class LocalStripe:
    """A sandbox of the local Stripe.

    `url` and `key` are what any SDK in any language needs; `client` is the official client for Python, which talks to
    it without a socket. Nothing of it is shared with other tests.
    """

    def __init__(self, server: Server, key: str) -> None:
        self.server = server
        self.key = key

    @property
    def url(self) -> str:
        """Where it answers, over HTTP."""
        return self.server.url

    @cached_property
    def client(self) -> stripe.StripeClient:
        """The official client with this sandbox's key."""
        return self.server.client(self.key)

    @property
    def now(self) -> datetime:
        """The time in this sandbox. It stands still until it is advanced."""
        kernel = self.server.front.api.kernel
        sandbox = kernel.sandboxes.open(self.key.removeprefix("sk_test_"), livemode=False)
        return datetime.fromtimestamp(kernel.sandboxes.now(sandbox), UTC)

    def stock(self, catalog: Catalog) -> str | None:
        """Put a catalog's products and plans on sale; answers the shelf they are from.

        What is from one shelf has the same ids each time. A sandbox that is not empty has no shelf.
        """
        if self.client.v1.events.list({"limit": 1}).data:
            catalog.push(self.client)
            return None
        shelf = self.server.shelf(catalog)
        self.control("POST", "/copy", {"from": shelf})
        return shelf

    @property
    def next_due(self) -> datetime | None:
        """When Stripe next does something by itself; None when nothing is planned."""
        due = self.control("GET", "/clock")["next_due"]
        return None if due is None else datetime.fromtimestamp(due, UTC)

    def advance(self, span: str | datetime) -> None:
        """Let time pass at Stripe: "1 month", "3 days 2 hours", or until a moment. What becomes due happens, in order.

        What is due by now happens even where no time passes.
        """
        self.control("POST", "/clock/advance", {"to": int(self.moment(span).timestamp())})

    def moment(self, span: str | datetime) -> datetime:
        """The moment that much later."""
        if isinstance(span, str):
            read = spans.read(span)
            if read is None:
                raise Misused(f"{span!r} is no span of time. Write it like '1 month', '10 days' or '5 hours'.")
            return datetime.fromtimestamp(read.after(int(self.now.timestamp())), UTC)
        if span.tzinfo is None:
            raise Misused(f"{span} has no time zone, and Stripe's is UTC. Write datetime(…, tzinfo=UTC).")
        if span < self.now:
            raise Misused(f"Time does not go back: it is {self.now:%Y-%m-%d %H:%M}, and you asked for {span}.")
        return span

    def fail_next(self, request: str = "", fault: str = "error", *, times: int = 1, **options: Any) -> None:
        """Let the next request that looks like this fail: `fail_next("POST /v1/refunds", status=500)`.

        `*` stands for anything. Faults beside "error": lock_timeout, slow, timeout_before (nothing was done) and
        timeout_after (all was done, and nobody heard of it). Without a request, whichever comes next.
        """
        names = [kind.name for kind in FAULTS]
        if fault not in names:
            raise Misused(f"There is no fault {fault!r}. There are: {', '.join(names)}.")
        method, _, path = request.partition(" ")
        where = {name: value for name, value in (("method", method), ("path", path)) if value}
        self.control("POST", "/faults", {"fault": fault, "times": times, **where, **options})

    def control(self, method: str, path: str, fields: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ask one of the controls under /_local that docs/local-stripe.md lists."""
        return self.server.control(self.key, method, path, fields)

    def forget(self) -> None:
        """Empty it."""
        self.control("POST", "/reset")
