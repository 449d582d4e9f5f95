"""What happens to a subscription: it starts, changes, falls behind, recovers, is cancelled, ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Self

from paydesk.billing.facts.fact import Fact

# It has begun and has not ended: what was ordered is there, paid for or not.
LIVE = frozenset({"trialing", "active", "past_due", "unpaid", "paused"})
IN_ARREARS = frozenset({"past_due", "unpaid"})
OVER = frozenset({"canceled", "incomplete_expired"})


@dataclass(frozen=True)
class Subscription:
    """A subscription as it was when the fact was named.

    `plan` is the catalog's code, None for a price that is not in the catalog. `status` is Stripe's. `billed_every` is
    "month", "year", "3 months". `amount_minor` is what it costs each time before discounts and tax, None where that
    depends on use. `user_id` is None if the customer is none of the app's users.
    """

    id: str
    user_id: str | None
    customer_id: str | None
    plan: str | None
    status: str
    slot: str = "main"
    seats: int = 1
    price_id: str | None = None
    amount_minor: int | None = None
    currency: str | None = None
    billed_every: str | None = None
    current_period_start: datetime | None = None
    current_period_end: datetime | None = None
    trial_ends_at: datetime | None = None
    cancels_at: datetime | None = None
    past_due_since: datetime | None = None
    ended_at: datetime | None = None
    latest_invoice_id: str | None = None
    created_at: datetime | None = None

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """The subscription in a row of the subscriptions table."""
        return cls(**{each.name: row[each.name] for each in fields(cls)})

    @property
    def is_live(self) -> bool:
        """It has begun and has not ended, whether the last invoice is paid or not."""
        return self.status in LIVE

    @property
    def active(self) -> bool:
        """Paid for, or on trial."""
        return self.status in {"trialing", "active"}

    @property
    def on_trial(self) -> bool:
        return self.status == "trialing"

    @property
    def past_due(self) -> bool:
        """A payment is missing. Stripe may still be trying (`past_due`) or have stopped (`unpaid`)."""
        return self.status in IN_ARREARS

    @property
    def paused(self) -> bool:
        return self.status == "paused"

    @property
    def ending(self) -> bool:
        """It is cancelled, and goes on until `ends_at`."""
        return self.is_live and self.cancels_at is not None

    @property
    def ended(self) -> bool:
        return self.status in OVER

    @property
    def renews_at(self) -> datetime | None:
        """When the next payment is due; None if there will be none."""
        if not self.is_live or self.paused or self.current_period_end is None:
            return None
        is_last = self.cancels_at is not None and self.cancels_at <= self.current_period_end
        return None if is_last else self.current_period_end

    @property
    def ends_at(self) -> datetime | None:
        """When it ended or will end; None if it goes on."""
        return self.ended_at or self.cancels_at


@dataclass(frozen=True)
class SubscriptionFact(Fact):
    """Something that happened to a subscription."""

    subscription: Subscription

    @property
    def about(self) -> str:
        return self.subscription.id


@dataclass(frozen=True)
class SubscriptionStarted(SubscriptionFact):
    """It is there: paid for, or on trial (`subscription.on_trial`). Once for each subscription.

    One that is incomplete, because its first payment has not succeeded, has not started.
    """

    type = "subscription.started"

    @property
    def happened_at(self) -> datetime | None:
        return self.subscription.created_at


@dataclass(frozen=True)
class SubscriptionEnded(SubscriptionFact):
    """It is over, whatever the reason. Once for each subscription that had started.

    `reason` is Stripe's: cancellation_requested, payment_failed, payment_disputed, or None.
    """

    type = "subscription.ended"

    reason: str | None = None


@dataclass(frozen=True)
class Turn(SubscriptionFact):
    """Something that may happen to a subscription again and again.

    `turn` counts what has happened to it so far, so that cancelling, resuming and cancelling once more are three facts.
    """

    turn: int

    @property
    def about(self) -> str:
        return f"{self.subscription.id}:{self.turn}"


@dataclass(frozen=True)
class SubscriptionChanged(Turn):
    """Another plan, price or number of seats. Where several changes are heard of together, they are one fact.

    `previous` is the subscription as it was before.
    """

    type = "subscription.changed"

    previous: Subscription


@dataclass(frozen=True)
class SubscriptionPastDue(Turn):
    """A payment failed, and the subscription goes on in arrears. Once until it recovers or ends."""

    type = "subscription.past_due"


@dataclass(frozen=True)
class SubscriptionRecovered(Turn):
    """What was missing was paid (or waived): it is in order again."""

    type = "subscription.recovered"


@dataclass(frozen=True)
class SubscriptionEnding(Turn):
    """It was cancelled and goes on until `subscription.ends_at`. Once until that is taken back."""

    type = "subscription.ending"


@dataclass(frozen=True)
class SubscriptionPaused(Turn):
    """It rests: nothing is charged and nothing is provided until it is resumed."""

    type = "subscription.paused"


@dataclass(frozen=True)
class SubscriptionResumed(Turn):
    """A cancellation was taken back before its time, or a pause is over."""

    type = "subscription.resumed"


@dataclass(frozen=True)
class TrialEnding(SubscriptionFact):
    """The trial ends in three days, at `subscription.trial_ends_at`, or at once if it is shorter.

    Once for each such moment: a trial that is made longer ends, and is told, again.
    """

    type = "trial.ending"

    @property
    def about(self) -> str:
        ends_at = self.subscription.trial_ends_at
        return f"{self.subscription.id}:{ends_at.isoformat() if ends_at else ''}"


@dataclass(frozen=True)
class CardExpiring(SubscriptionFact):
    """The card that is to pay the next renewal expires before it. Once for each card and subscription.

    Stripe tells of a renewal some days ahead, as its settings say; the card is looked at then.
    """

    type = "card.expiring"

    payment_method_id: str
    brand: str
    last4: str | None
    exp_month: int
    exp_year: int

    @property
    def about(self) -> str:
        return f"{self.subscription.id}:{self.payment_method_id}:{self.exp_year}-{self.exp_month:02}"
