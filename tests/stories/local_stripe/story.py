"""A story in chapters: how a subscription stands, what its latest bill says, and what was told since the last chapter.

Nothing in it depends on identifiers or on the language that told it, so that every SDK can tell the same story. Times
are given to the hour: the sandbox's own clock runs on while the story is told.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

import stripe

from tests.emulator.controls import Controls
from tests.emulator.receiver import Receiver
from tests.emulator.subscribing import item

# Whatever is later than 2017 is no amount.
_TIMES_FROM = 1_500_000_000


@dataclass(frozen=True)
class Line:
    """What a bill charges for, and for which time."""

    text: str | None
    amount: int
    begins: str
    ends: str


@dataclass(frozen=True)
class Bill:
    """An invoice."""

    reason: str
    status: str
    total: int
    due: int
    paid: int
    attempts: int
    next_attempt: str | None
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Standing:
    """A subscription."""

    status: str
    costs: int
    begins: str
    ends: str
    cancel_at: str | None = None
    ended_at: str | None = None


@dataclass(frozen=True)
class Told:
    """An event, with what it says was there before."""

    type: str
    before: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Chapter:
    """One step of a life."""

    title: str
    standing: Standing
    bill: Bill
    told: tuple[Told, ...]


def plain(chapters: tuple[Chapter, ...]) -> Any:
    """A story as JSON carries it."""
    return json.loads(json.dumps([asdict(chapter) for chapter in chapters]))


class Teller:
    """Whoever looks on: asks the API how things stand, and holds what a webhook receiver got against it."""

    def __init__(self, client: stripe.StripeClient, controls: Controls, receiver: Receiver, secret: str) -> None:
        self.events: list[stripe.Event] = []
        self._client = client
        self._controls = controls
        self._receiver = receiver
        self._secret = secret

    def begin(self) -> None:
        """What was told up to now is no part of the story."""
        self._news()

    def chapter(self, title: str, subscription: stripe.Subscription) -> Chapter:
        """Close a chapter: everything that happened since the one before."""
        now = self._client.v1.subscriptions.retrieve(subscription.id)
        bill = self._client.v1.invoices.retrieve(str(now.latest_invoice))
        told = tuple(_told(event) for event in self._news() if not event.type.startswith("test_helpers."))
        return Chapter(title, _standing(now), _bill(bill), told)

    def _news(self) -> list[stripe.Event]:
        """The events since the last time, oldest first: each arrived once, signed, and says what the API says."""
        self._controls.settle()
        asked: Any = {"limit": 100} | ({"ending_before": self.events[-1].id} if self.events else {})
        new = self._client.v1.events.list(asked).data[::-1]
        self.events += new
        arrived = {}
        for delivery in self._receiver.received:
            event = stripe.Webhook.construct_event(delivery.body, delivery.signature, self._secret)
            arrived[event.id] = _content(event)
        assert len(self._receiver.received) == len(arrived) == len(self.events)
        assert arrived == {event.id: _content(event) for event in self.events}
        return new


def _content(event: stripe.Event) -> dict[str, Any]:
    """An event without what changes when it is delivered."""
    return {name: value for name, value in event.to_dict().items() if name != "pending_webhooks"}


def _standing(subscription: stripe.Subscription) -> Standing:
    held: Any = item(subscription)
    return Standing(
        subscription.status,
        held.price.unit_amount,
        _hour(held.current_period_start),
        _hour(held.current_period_end),
        _hour_or_none(subscription.cancel_at),
        _hour_or_none(subscription.ended_at),
    )


def _bill(invoice: stripe.Invoice) -> Bill:
    return Bill(
        str(invoice.billing_reason),
        str(invoice.status),
        invoice.total,
        invoice.amount_due,
        invoice.amount_paid,
        invoice.attempt_count,
        _hour_or_none(invoice.next_payment_attempt),
        tuple(
            Line(line.description, line.amount, _hour(line.period.start), _hour(line.period.end))
            for line in invoice.lines.data
        ),
    )


def _told(event: stripe.Event) -> Told:
    before = event.data.to_dict().get("previous_attributes") or {}
    return Told(event.type, {name: _short(name, value) for name, value in before.items()})


def _short(name: str, value: Any) -> Any:
    """What was before, in words that are the same for everybody: an object by its kind, an item by its price."""
    match name, value:
        case "items", {"data": held}:
            return [
                [one["price"]["unit_amount"], _hour(one["current_period_start"]), _hour(one["current_period_end"])]
                for one in held
            ]
        case "plan", {"amount": amount}:
            return amount
        case _, dict():
            return {inner: _short(inner, part) for inner, part in value.items()}
        case _, int() if value >= _TIMES_FROM:
            return _hour(value)
        case (("latest_invoice" | "default_payment_method"), str()):
            return value.partition("_")[0]
    return value


def _hour_or_none(moment: int | None) -> str | None:
    return None if moment is None else _hour(moment)


def _hour(moment: int) -> str:
    """A moment, as far as the story is precise."""
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:00}"
