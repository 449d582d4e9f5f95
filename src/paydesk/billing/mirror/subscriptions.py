"""Subscriptions: who has which plan, until when, and what that means for the app.

A subscription and its items are written together: an item that Stripe no longer has is gone here too. A subscription
that was cancelled keeps its row, with that status: it is the history of who had what.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from paydesk.billing.facts import Fact, Subscription, TrialEnding
from paydesk.billing.mirror import arrears, shapes
from paydesk.billing.mirror.mirrored import Mirrored, Writing, moment
from paydesk.billing.mirror.refs import Ref, id_of
from paydesk.billing.mirror.turns import Was, turns
from paydesk.billing.plans import MAIN_SLOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sqlalchemy import Connection

    from paydesk.billing.mirror.read import Ask
    from paydesk.billing.mirror.refs import Json
    from paydesk.billing.plans import PlanFinder
    from paydesk.billing.store.store import Store

TRIAL_WILL_END = "customer.subscription.trial_will_end"


def apply(writing: Writing, subscription: Json) -> list[Fact]:
    """Write the subscription and its items, and name what is new about it."""
    table = writing.tables.subscriptions
    before = writing.row(table, subscription["id"])
    items = [_item(writing, subscription, item) for item in shapes.items_of(subscription)]
    row = _columns(writing, subscription, _main(items), before)
    after = Subscription.from_row(row)
    was = None
    if before is not None:
        was = Was(Subscription.from_row(before), shapes.terms_of(before["object"]), before["turns"])
    facts, row["turns"] = turns(was, after, shapes.terms_of(subscription), shapes.reason_of_end(subscription))
    writing.put(table, row, subscription)
    _put_items(writing, subscription["id"], items)
    if TRIAL_WILL_END in writing.told and after.on_trial:
        facts.append(TrialEnding(after))
    return facts


def _columns(writing: Writing, subscription: Json, main: Json, before: Json | None) -> Json:
    customer_id = id_of(subscription.get("customer"))
    price = main.get("price") or {}
    start, end = shapes.period_of(subscription)
    rhythm = shapes.rhythm_of(price)
    # A user whose customer was deleted has a new one; what they had under the old one is still theirs.
    owner = writing.owner(customer_id) or (before["user_id"] if before else None)
    return {
        "id": subscription["id"],
        "user_id": owner,
        "customer_id": customer_id,
        "slot": writing.plans.slot(main.get("plan")) or (before["slot"] if before else MAIN_SLOT),
        "plan": main.get("plan"),
        "status": subscription["status"],
        "seats": main.get("quantity") or 1,
        "price_id": main.get("price_id"),
        "amount_minor": shapes.amount_due_each_time(subscription),
        "currency": subscription.get("currency") or price.get("currency"),
        "billed_every": str(rhythm) if rhythm else None,
        "current_period_start": moment(start),
        "current_period_end": moment(end),
        "trial_ends_at": moment(subscription.get("trial_end")),
        "cancels_at": moment(shapes.cancels_at(subscription)),
        "past_due_since": arrears.past_due_since(writing, subscription, before),
        "heard_at": arrears.heard_at(writing, subscription, before),
        "ended_at": moment(subscription.get("ended_at")),
        "latest_invoice_id": id_of(subscription.get("latest_invoice")),
        "default_payment_method_id": id_of(subscription.get("default_payment_method")),
        "livemode": subscription.get("livemode"),
        "created_at": moment(subscription["created"]),
    }


def _main(items: list[Json]) -> Json:
    """The item that the subscription is about: the first of a plan. Others are what was added to it."""
    return next((item for item in items if item["plan"] is not None), items[0] if items else {})


def _item(writing: Writing, subscription: Json, item: Json) -> Json:
    price = shapes.price_of(item)
    return {
        "id": item.get("id") or subscription["id"],
        "subscription_id": subscription["id"],
        "plan": plan_of(writing.store, lambda: writing.sheet.beside, writing.plans, price),
        "price_id": price.get("id"),
        "product_id": id_of(price.get("product")),
        "quantity": item.get("quantity"),
        "current_period_start": moment(item.get("current_period_start")),
        "current_period_end": moment(item.get("current_period_end")),
        "object": item,
        "price": price,
    }


def plan_of(store: Store, connection: Callable[[], Connection], plans: PlanFinder, price: Json) -> str | None:
    """The plan that a price is of, or was of before another took its place.

    Only the latter needs a `connection`.
    """
    of, product_id = plans.of, id_of(price.get("product"))
    found = of(price_id=price.get("id"), lookup_key=price.get("lookup_key"), product_id=product_id)
    if found is not None or product_id is None:
        return found
    prices = store.tables.prices
    siblings = select(prices.c.id, prices.c.lookup_key).where(prices.c.product_id == product_id)
    theirs = (
        of(price_id=sibling.id, lookup_key=sibling.lookup_key, product_id=None)
        for sibling in connection().execute(siblings)
    )
    return next((plan for plan in theirs if plan is not None), None)


def _put_items(writing: Writing, subscription_id: str, items: Iterable[Json]) -> None:
    rows = [{name: value for name, value in item.items() if name != "price"} for item in items]
    writing.sheet.put_parts(writing.tables.subscription_items, "subscription_id", subscription_id, rows)


def complete(ask: Ask, subscription: Json) -> None:
    """A subscription shows its first ten items."""
    if isinstance(subscription.get("items"), dict):
        ask.rest_of(subscription["items"], "/v1/subscription_items", subscription=subscription["id"])


def parents(subscription: Json) -> list[Ref]:
    customer = id_of(subscription.get("customer"))
    return [Ref("customer", customer)] if customer else []


SUBSCRIPTIONS = Mirrored(
    type="subscription",
    path="/v1/subscriptions/{}",
    apply=apply,
    table=lambda tables: tables.subscriptions,
    is_whole=shapes.has_all_items,
    parents=parents,
    telling=frozenset({TRIAL_WILL_END}),
    complete=complete,
    parts=lambda tables: (tables.subscription_items.c.subscription_id,),
)
