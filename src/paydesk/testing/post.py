"""The post between Stripe and the app: events go out in order, shuffled, twice, late or not at all, as a test says.

Nothing is sent by itself. What has happened at Stripe waits here until the test delivers it.
"""

from __future__ import annotations

import json
import random
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Any

from paydesk.emulator.kernel import contract
from paydesk.testing.misuse import Misused, WebhookRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    from paydesk.testing.asgi import Answer
    from paydesk.testing.sandbox import LocalStripe

    Event = dict[str, Any]
    # Hands a webhook to the app: body and signature in, its answer out.
    Hand = Callable[[bytes, str], Answer]

PAGE = 100


class Post:
    """What waits to be delivered from one sandbox to one app."""

    def __init__(self, stripe: LocalStripe, *, hand: Hand, path: str, secret: str, seed: str) -> None:
        """`seed` decides how what is shuffled is shuffled: the same each time."""
        self._stripe = stripe
        self._hand = hand
        self._path = path
        self._secret = secret
        self._random = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
        self._waiting: list[Event] = []
        self._losing: list[str] = []
        self._lost: list[Event] = []
        self._newest: str | None = None
        self._newest = next((event["id"] for event in self._listed(limit=1)), None)

    @property
    def waiting(self) -> list[str]:
        """The types of what has happened and was not delivered yet, oldest first."""
        self.collect()
        return [event["type"] for event in self._waiting]

    @property
    def lost(self) -> list[str]:
        """The types of what was lost on the way."""
        return [event["type"] for event in self._lost]

    def lose_next(self, event_type: str) -> None:
        """Lose the next event of this type."""
        check_type(event_type)
        self._losing.append(event_type)

    @property
    def lost_in_vain(self) -> list[str]:
        """What was to be lost and never came."""
        self.collect()
        return list(self._losing)

    def deliver(self, types: tuple[str, ...], *, shuffled: bool, twice: bool) -> list[str]:
        """Deliver what waits, or of it only these types; answers the types in the order they went out.

        Raises WebhookRefused, and what the app raises; then what was not delivered waits on.
        """
        for event_type in types:
            check_type(event_type)
        self.collect()
        chosen = [event for event in self._waiting if not types or event["type"] in types]
        if types and not chosen:
            waiting = ", ".join(event["type"] for event in self._waiting) or "nothing"
            raise Misused(f"No {' or '.join(types)} waits to be delivered. Waiting: {waiting}.")
        order = chosen * (2 if twice else 1)
        if shuffled:
            self._random.shuffle(order)
        for event in order:
            self._deliver(event)
            if event in self._waiting:
                self._waiting.remove(event)
        return [event["type"] for event in order]

    def collect(self) -> None:
        """Take in what has happened since the last time; what is to be lost is lost here."""
        for event in self._new():
            if event["type"] in self._losing:
                self._losing.remove(event["type"])
                self._lost.append(event)
            else:
                self._waiting.append(event)

    def _deliver(self, event: Event) -> None:
        import stripe

        body = json.dumps(event, indent=2)
        stamp = int(self._stripe.now.timestamp())
        header = stripe.WebhookSignature.generate_signature_header(body, self._secret, timestamp=stamp)
        answer = self._hand(body.encode(), header)
        if not 200 <= answer.status < 300:
            raise WebhookRefused(event["type"], self._path, answer.status, answer.body.decode("utf-8", "replace"))

    def _new(self) -> list[Event]:
        """The events since the last time, oldest first."""
        found: list[Event] = []
        while page := self._listed(limit=PAGE):
            found += reversed(page)
            self._newest = page[0]["id"]
            if len(page) < PAGE:
                break
        return found

    def _listed(self, *, limit: int) -> list[Event]:
        """A page of events right after the newest known one, newest first; of all events, where none is known."""
        after = {} if self._newest is None else {"ending_before": self._newest}
        answer: Any = self._stripe.client.raw_request("get", "/v1/events", limit=limit, **after)
        page: list[Event] = answer.data["data"]
        return page


@cache
def event_types() -> frozenset[str]:
    """All types of events, as the installed SDK knows them."""
    operation = contract.operation("POST", "/v1/webhook_endpoints")
    listed: Any = None if operation is None else operation.params.fields["enabled_events"]
    return frozenset(listed.item.values) - {"*"}


def check_type(event_type: str) -> None:
    """Refuse a type that Stripe does not have: it would be waited for in vain. Raises Misused."""
    if event_type not in event_types():
        like = get_close_matches(event_type, event_types(), 1)
        hint = f" Did you mean {like[0]}?" if like else ""
        raise Misused(f"Stripe has no event {event_type!r}.{hint}")
