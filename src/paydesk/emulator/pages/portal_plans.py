"""What a customer is subscribed to, as the portal's home shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from paydesk.emulator.pages import method_name, portal_update, rhythm
from paydesk.emulator.pages.portal_invoices import day
from paydesk.emulator.resources import billing_portal_plan as plans
from paydesk.emulator.resources import billing_portal_switch as switch
from paydesk.emulator.resources import discounting, invoice_collection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World
    from paydesk.emulator.pages.portal_visit import Visit

_OWING: Final = ("past_due", "unpaid", "incomplete")


@dataclass(frozen=True)
class Sold:
    """A thing that is sold, and for how much and how often."""

    name: str
    cost: str


@dataclass(frozen=True)
class Plan:
    """A subscription. Of what the customer may do, the addresses are there; `is_late` asks for their attention."""

    id: str
    items: tuple[Sold, ...]
    status: str
    is_late: bool
    notes: tuple[str, ...]
    paid_with: str | None
    card: str | None
    pay: str | None
    change: str | None
    cancel: str | None
    keep: str | None
    stay: str | None
    pause: str | None
    resume: str | None


def of(visit: Visit) -> tuple[Plan, ...]:
    """The customer's subscriptions, the newest first."""
    return tuple(_plan(visit, subscription) for subscription in plans.of(visit.world, visit.customer))


def items_of(world: World, subscription: Document) -> tuple[Sold, ...]:
    """What a subscription is of."""
    return tuple(
        sold(world, item["price"]["id"], item.get("quantity"), subscription["currency"])
        for item in subscription["items"]["data"]
    )


def sold(world: World, price_id: str, quantity: int | None, currency: str) -> Sold:
    """So many at a price; None: what is used is measured."""
    price = world.ever("price", price_id)
    product = world.find("product", price["product"])
    name = "Subscription" if product is None else str(product["name"])
    many = f" × {quantity:,}" if quantity not in (None, 1) else ""
    return Sold(name + many, rhythm.cost(price, currency, 1 if quantity is None else quantity))


def name_of(world: World, subscription: Document) -> str:
    """What a subscription is of, in a few words."""
    return " and ".join(item.name for item in items_of(world, subscription))


def ends(subscription: Document) -> int:
    """When the period ends that the subscription is in."""
    return min(int(item["current_period_end"]) for item in subscription["items"]["data"])


def _plan(visit: Visit, subscription: Document) -> Plan:
    world, features = visit.world, visit.configuration["features"]

    def where(room: str, *, is_open: bool) -> str | None:
        return visit.path(room, subscription=subscription.id) if is_open else None

    awaited = switch.awaited(world, subscription)
    method = invoice_collection.method_of_subscription(world, subscription)
    is_charged = subscription["collection_method"] == "charge_automatically"
    may_add = features["payment_method_update"]["enabled"] and is_charged
    return Plan(
        id=subscription.id,
        items=items_of(world, subscription),
        status=_status(subscription),
        is_late=subscription["status"] in _OWING,
        notes=tuple(_notes(world, subscription, method, awaited)),
        paid_with=None if method is None or not is_charged else method_name.of(method),
        # Only where it has a card of its own: else the customer's default is what it is charged to.
        card=where("card", is_open=may_add and subscription["default_payment_method"] is not None),
        pay=_open_invoice(world, subscription),
        change=where("update", is_open=portal_update.can_change(visit, subscription)),
        cancel=where("cancel", is_open=plans.may_cancel(subscription, features)),
        keep=visit.path("keep") if plans.may_keep(subscription, features) else None,
        stay=visit.path("keep") if awaited is not None else None,
        pause=where("pause", is_open=plans.may_pause(subscription, features)),
        resume=visit.path("resume") if plans.may_resume(subscription, features) else None,
    )


def _status(subscription: Document) -> str:
    status = subscription["status"]
    if status == "paused":
        until = plans.pauses_until(subscription)
        return "Paused" if until is None else f"Paused until {day(until)}"
    if status == "incomplete":
        return "Waits for its first payment"
    if status in ("past_due", "unpaid"):
        is_sent = subscription["collection_method"] == "send_invoice"
        return "An invoice is overdue" if is_sent else "The last payment failed"
    if plans.is_ending(subscription):
        return f"Ends on {day(subscription['cancel_at'])}"
    if status == "trialing":
        return f"Free trial until {day(subscription['trial_end'])}"
    return f"Renews on {day(ends(subscription))}"


def _notes(
    world: World, subscription: Document, method: Document | None, awaited: switch.Change | None
) -> Iterator[str]:
    if awaited is not None and awaited.waits_until is not None:
        becomes = sold(world, awaited.price, awaited.quantity, subscription["currency"])
        yield f"Changes to {becomes.name} on {day(awaited.waits_until)}: {becomes.cost}"
    for identifier in subscription["discounts"]:
        label, percent = discounting.described(world, identifier)
        yield label if percent is None else f"{label}: {percent}% off"
    if subscription["collection_method"] == "send_invoice":
        yield "You get an invoice for each period."
    elif method is None and subscription["status"] == "trialing":
        yield "Add a card before the trial ends."
    if subscription["pending_update"] is not None:
        yield "A change waits for its payment. Until then nothing changes."


def _open_invoice(world: World, subscription: Document) -> str | None:
    """Where what is owed for it can be paid."""
    latest = None if subscription["latest_invoice"] is None else world.find("invoice", subscription["latest_invoice"])
    return str(latest["hosted_invoice_url"]) if latest is not None and latest["status"] == "open" else None
