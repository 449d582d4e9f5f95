"""What a subscription and its items look like, and how the two are kept in step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel.document import Document, from_text, to_text
from paydesk.emulator.kernel.kinds import Kind
from paydesk.emulator.kernel.lists import Page
from paydesk.emulator.rules import pricing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from paydesk.emulator.kernel.world import World

SUBSCRIPTION: Final = Kind(
    "subscription",
    "sub_",
    filters=("collection_method", "customer", "schedule", "status", "test_clock"),
    references={
        "customer": "customer",
        "default_payment_method": "payment_method",
        "default_source": "card",
        "discounts": "discount",
        "latest_invoice": "invoice",
        "pending_setup_intent": "setup_intent",
        "schedule": "subscription_schedule",
        "test_clock": "test_helpers.test_clock",
    },
    embeds=("items",),
)
ITEM: Final = Kind(
    "subscription_item",
    "si_",
    missing_param="item",
    filters=("price.id", "subscription"),
    references={"discounts": "discount", "price.product": "product"},
)

# Of these nothing follows any more.
ENDED: Final = ("canceled", "incomplete_expired")


def new(world: World, customer: Document, *, currency: str, start: int) -> Document:
    """A subscription without items, not kept yet: `incomplete` until it is clear what becomes of its first invoice."""
    return Document(
        {
            "id": world.mint("sub_"),
            "object": "subscription",
            "application": None,
            "application_fee_percent": None,
            "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
            "billing_cycle_anchor": start,
            "billing_cycle_anchor_config": None,
            "billing_mode": {
                "flexible": {"proration_discounts": "included"},
                "type": "flexible",
                "updated_at": world.now,
            },
            "billing_schedules": [],
            "billing_thresholds": None,
            "cancel_at": None,
            "cancel_at_period_end": False,
            "canceled_at": None,
            "cancellation_details": {"comment": None, "feedback": None, "feedback_option": None, "reason": None},
            "collection_method": "charge_automatically",
            "created": world.now,
            "currency": currency,
            "customer": customer.id,
            "customer_account": None,
            "days_until_due": None,
            "default_payment_method": None,
            "default_source": None,
            "default_tax_rates": [],
            "description": None,
            "discounts": [],
            "ended_at": None,
            "invoice_settings": {
                "account_tax_ids": None,
                "custom_fields": None,
                "description": None,
                "footer": None,
                "issuer": {"type": "self"},
            },
            "items": {},
            "latest_invoice": None,
            "livemode": world.livemode,
            "managed_payments": {"enabled": False},
            "metadata": {},
            "next_pending_invoice_item_invoice": None,
            "on_behalf_of": None,
            "pause_collection": None,
            "payment_settings": {
                "payment_method_options": None,
                "payment_method_types": None,
                "save_default_payment_method": "off",
            },
            "pending_invoice_item_interval": None,
            "pending_setup_intent": None,
            "pending_update": None,
            "schedule": None,
            "start_date": start,
            "status": "incomplete",
            "test_clock": customer["test_clock"],
            "transfer_data": None,
            "trial_end": None,
            "trial_settings": {
                "end_behavior": {"billing_cycle_anchor": None, "missing_payment_method": "create_invoice"}
            },
            "trial_start": None,
        }
    )


def new_item(world: World, subscription: str, price: Document, quantity: int | None) -> Document:
    """An item, not kept yet; whoever makes it says which period it is in."""
    item = Document(
        {
            "id": world.mint("si_"),
            "object": "subscription_item",
            "billing_thresholds": None,
            "created": world.now,
            "current_period_end": world.now,
            "current_period_start": world.now,
            "current_trial": None,
            "discounts": [],
            "metadata": {},
            "plan": {},
            "price": {},
            "quantity": quantity,
            "subscription": subscription,
            "tax_rates": [],
        }
    )
    set_price(item, price)
    set_quantity(item, quantity)
    return item


def set_price(item: Document, price: Document) -> None:
    """Sell this at this price from now on."""
    item["price"] = dict(price)
    item["plan"] = dict(pricing.as_plan(price))


def set_quantity(item: Document, quantity: int | None) -> None:
    """How many are sold; None: what is used is measured."""
    if quantity is None:
        item.pop("quantity", None)
    else:
        item["quantity"] = quantity


def copy_of(document: Document) -> Document:
    """A document as it is now, to compare with what becomes of it."""
    return Document(from_text(to_text(document)), from_text(to_text(document.private)))


def items_of(world: World, subscription: Document) -> list[Document]:
    """A subscription's items, in the order in which they joined."""
    return list(world.having("subscription_item", "subscription", subscription.id))[::-1]


def show(subscription: Document, items: Sequence[Document]) -> None:
    """Embed the items in their subscription, as they are now; it is not saved yet."""
    url = f"/v1/subscription_items?subscription={subscription.id}"
    texts = [to_text(item) for item in items]
    subscription["items"] = Page(url, texts, has_more=False, total_count=len(texts)).value()
    for name in ("plan", "quantity"):
        subscription.pop(name, None)
    if len(items) == 1:
        # Undeclared, and still there: what a subscription was before it could have several items.
        subscription["plan"] = dict(items[0]["plan"])
        if "quantity" in items[0]:
            subscription["quantity"] = items[0]["quantity"]


def keep_items(world: World, subscription: Document, items: Sequence[Document]) -> None:
    """Save these as the subscription's items, delete those it has no more, and embed them; it is not saved yet."""
    kept = {item.id for item in items}
    for item in items_of(world, subscription):
        if item.id not in kept:
            world.delete(item)
    for item in items:
        if item.seq:
            world.save(item)
        else:
            world.add(item)
    show(subscription, items)


def is_metered(item: Document) -> bool:
    """Whether what is used is measured and billed afterwards."""
    return bool(item["price"]["recurring"]["usage_type"] == "metered")


def period_of(items: Sequence[Document]) -> tuple[int, int]:
    """The period a subscription is in: from its items' earliest to whichever of them ends first."""
    return (
        min(item["current_period_start"] for item in items),
        min(item["current_period_end"] for item in items),
    )


def details(subscription: Document) -> dict[str, Any]:
    """`parent` of what is billed for a subscription: its metadata as it is at that moment."""
    return {
        "quote_details": None,
        "subscription_details": {"metadata": dict(subscription["metadata"]), "subscription": subscription.id},
        "type": "subscription_details",
    }
