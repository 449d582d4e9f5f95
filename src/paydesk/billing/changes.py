"""Changes of a subscription: what Stripe is asked for, and the verbs that ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from paydesk.billing.offer import product_id
from paydesk.errors import ChangeRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import stripe
    from sqlalchemy import Connection

    from paydesk.billing.attempts import Attempt
    from paydesk.billing.facts import Subscription

    Params = dict[str, Any]
    AskFor = Callable[[stripe.StripeClient, str, Any, stripe.RequestOptions], stripe.StripeObject]

Prorate = Literal["next", "now", "none"]

PRORATION = {"next": "create_prorations", "now": "always_invoice", "none": "none"}


@dataclass(frozen=True)
class SubscriptionVerb:
    """One kind of change. Its subject is the subscription's id."""

    name: str
    doing: str
    ask_for: AskFor

    def ask(self, client: stripe.StripeClient, attempt: Attempt, options: stripe.RequestOptions) -> stripe.StripeObject:
        return self.ask_for(client, attempt.subject, attempt.params, options)

    def apply(self, connection: Connection, attempt: Attempt, answer: Mapping[str, Any]) -> None:
        """Nothing here: the mirror reads the subscription, under its lane."""

    def give_up(self, connection: Connection, attempt: Attempt) -> None:
        """The subscription stays as it is."""


UPDATE = SubscriptionVerb(
    "subscription_update",
    "to change the subscription",
    lambda client, subject, params, options: client.v1.subscriptions.update(subject, params, options),
)
CANCEL = SubscriptionVerb(
    "subscription_cancel",
    "to end the subscription",
    lambda client, subject, params, options: client.v1.subscriptions.cancel(subject, params, options),
)
PAUSE = SubscriptionVerb(
    "subscription_pause",
    "to pause the subscription",
    lambda client, subject, params, options: client.v1.subscriptions.pause(subject, params, options),
)
RESUME = SubscriptionVerb(
    "subscription_resume",
    "to resume the subscription",
    lambda client, subject, params, options: client.v1.subscriptions.resume(subject, params, options),
)
VERBS = (UPDATE, CANCEL, PAUSE, RESUME)


@dataclass(frozen=True)
class Change:
    """What is asked for: which verb, with which parameters."""

    verb: SubscriptionVerb
    params: Params


@dataclass(frozen=True)
class Target:
    """What is gone over to. `usage_ids` are the prices of what is charged by use; None leaves those as they are."""

    price_id: str
    seats: int
    usage_ids: tuple[str, ...] | None


def swapped(subscription: Subscription, items: Sequence[Mapping[Any, Any]], target: Target, prorate: Prorate) -> Change:
    """Another price or number of seats. A payment that fails leaves everything as it was.

    What the old plan charged by use is billed for the last time. Raises ChangeRefused.
    """
    _must_be_live(subscription)
    changed = {"id": _main(subscription, items), "price": target.price_id, "quantity": target.seats}
    params = {
        "items": [changed, *_usage_items(items, target.usage_ids)],
        "proration_behavior": PRORATION[prorate],
        "payment_behavior": "error_if_incomplete",
    }
    return Change(UPDATE, params)


def cancelled(subscription: Subscription, *, at_once: bool) -> Change:
    """The end: when what is paid for is over, or now. Raises ChangeRefused."""
    _must_be_live(subscription)
    if at_once:
        return Change(CANCEL, {})
    return Change(UPDATE, {"cancel_at_period_end": True})


def resumed(subscription: Subscription) -> Change:
    """A cancellation taken back, or the end of a pause. Raises ChangeRefused."""
    _must_be_live(subscription)
    if subscription.paused:
        # Without it nobody would be charged, and it would stay paused.
        return Change(RESUME, {"payment_behavior": "resume_on_payment_success"})
    if not subscription.ending:
        raise ChangeRefused(subscription.id, "it is neither cancelled nor paused")
    # The portal sets a moment and not the flag; an empty moment takes either back.
    return Change(UPDATE, {"cancel_at": ""})


def paused(subscription: Subscription) -> Change:
    """A rest: nothing is charged, and nothing is provided. Raises ChangeRefused."""
    _must_be_live(subscription)
    if subscription.paused:
        raise ChangeRefused(subscription.id, "it is paused already")
    return Change(PAUSE, {"type": "subscription"})


def _must_be_live(subscription: Subscription) -> None:
    if not subscription.is_live:
        raise ChangeRefused(subscription.id, f"it is {subscription.status}")


def _usage_items(items: Sequence[Mapping[Any, Any]], usage_ids: tuple[str, ...] | None) -> list[Params]:
    """What is charged by use from now on, and what is not any more. What others have added stays."""
    if usage_ids is None:
        return []
    ours = [item for item in items if str(item["product_id"]).startswith(product_id("meter_"))]
    there = {item["price_id"] for item in ours}
    left: list[Params] = [{"id": item["id"], "deleted": True} for item in ours if item["price_id"] not in usage_ids]
    return [*left, *({"price": each} for each in usage_ids if each not in there)]


def _main(subscription: Subscription, items: Sequence[Mapping[Any, Any]]) -> str:
    """The item that is the plan. Without its id, Stripe would add a second one."""
    mine = [item["id"] for item in items if item["price_id"] == subscription.price_id]
    if len(mine) != 1:
        raise ChangeRefused(subscription.id, "its plan is not one of its items")
    return str(mine[0])
