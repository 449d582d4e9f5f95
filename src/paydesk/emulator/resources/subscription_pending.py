"""Pending updates: a change, or the end of a pause, that waits until its invoice is paid.

The subscription goes on meanwhile as if nobody had asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from paydesk.emulator.kernel.document import Document, from_text, to_text
from paydesk.emulator.resources import invoicing, subscription_agenda, subscription_shape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from paydesk.emulator.kernel.world import World

# What of a subscription itself may wait with its items.
_TERMS: Final = (
    "billing_cycle_anchor",
    "billing_cycle_anchor_config",
    "cancel_at",
    "cancel_at_period_end",
    "canceled_at",
    "cancellation_details",
    "discounts",
    "status",
    "trial_end",
    "trial_start",
)


@dataclass(frozen=True)
class Before:
    """A subscription and its items as they were, to go back to."""

    texts: dict[str, tuple[str, str]]

    @classmethod
    def of(cls, documents: Sequence[Document]) -> Before:
        return cls({one.id: (to_text(one), to_text(one.private)) for one in documents})

    def restore(self, document: Document) -> None:
        public, private = self.texts[document.id]
        document.clear()
        document.update(from_text(public))
        document.private = from_text(private)


def put_off(
    world: World,
    subscription: Document,
    items: Sequence[Document],
    invoice: Document,
    before: Before,
    *,
    expires_at: int,
    trial_from_plan: bool | None = None,
) -> None:
    """Leave everything as it was, and keep what was worked out for when the invoice is paid; it is not saved yet."""
    proposed = [[to_text(item), to_text(item.private)] for item in items]
    wanted = {name: subscription[name] for name in _TERMS}
    known = subscription_shape.items_of(world, subscription)
    for one in (subscription, *known):
        before.restore(one)
    terms = {name: value for name, value in wanted.items() if value != subscription[name]}
    subscription["latest_invoice"] = invoice.id
    subscription["pending_update"] = {
        "billing_cycle_anchor": terms.get("billing_cycle_anchor"),
        "cancel_at_period_end": terms.get("cancel_at_period_end"),
        "discount": None,
        "discounts": None,
        "expires_at": expires_at,
        "metadata": None,
        "subscription_items": None if subscription["status"] == "paused" else [from_text(one) for one, _ in proposed],
        "trial_end": terms.get("trial_end"),
        "trial_from_plan": trial_from_plan,
    }
    subscription.private["pending"] = {"invoice": invoice.id, "items": proposed, "terms": terms}
    subscription_shape.show(subscription, known)


def waits_for(subscription: Document, invoice: Document) -> bool:
    """Whether it is this invoice that a change waits for."""
    return bool((subscription.private.get("pending") or {}).get("invoice") == invoice.id)


def apply(world: World, subscription: Document, *, status: str | None = None) -> None:
    """The invoice is paid: make the change, or end the pause. `status` is another one than the change wanted."""
    pending = subscription.private.pop("pending")
    was_paused = subscription["status"] == "paused"
    known = {item.id: item for item in subscription_shape.items_of(world, subscription)}
    items = []
    for public, private in pending["items"]:
        wanted = from_text(public)
        item = known.get(wanted["id"]) or Document({})
        item.clear()
        item.update(wanted)
        item.private = from_text(private)
        items.append(item)
    subscription.update(pending["terms"])
    subscription["pending_update"] = None
    if status is not None:
        subscription["status"] = status
    if was_paused:
        subscription.pop("status_details", None)
    subscription_shape.keep_items(world, subscription, items)
    world.save(subscription, "customer.subscription.updated")
    told = "resumed" if was_paused else "pending_update_applied"
    world.emit(f"customer.subscription.{told}", subscription)
    subscription_agenda.plan(world, subscription)


def expire(world: World, subscription: Document) -> None:
    """Nobody paid in time, or it is not wanted any more: the change will not be made, and its invoice is void."""
    pending = subscription.private.pop("pending", None)
    if pending is None:
        return
    subscription["pending_update"] = None
    world.save(subscription, "customer.subscription.updated")
    world.emit("customer.subscription.pending_update_expired", subscription)
    subscription_agenda.plan(world, subscription)
    invoice = world.get("invoice", pending["invoice"])
    if invoice["status"] == "open":
        invoicing.void(world, invoice)
