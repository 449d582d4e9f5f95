"""Billing a subscription: the drafts it makes, and how the first try to collect one goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel.errors import StripeError
from paydesk.emulator.resources import (
    discounting,
    invoice_collection,
    invoice_lines,
    invoiceitem,
    invoicing,
    subscription_lines,
)
from paydesk.emulator.resources.subscription_shape import details
from paydesk.emulator.rules import price_costs
from paydesk.emulator.rules.proration import Period

if TYPE_CHECKING:
    from collections.abc import Sequence

    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World
    from paydesk.emulator.resources.subscription_lines import Charge

NEEDS_PAYER: Final = (
    "Payment for this subscription requires additional user action before it can be completed successfully. Payment "
    "can be completed using the PaymentIntent associated with `subscription.latest_invoice`. For more details see: "
    "https://stripe.com/docs/billing/subscriptions/overview#requires-action"
)


def draft(
    world: World,
    subscription: Document,
    charges: Sequence[Charge],
    *,
    reason: str,
    period: Period | None = None,
    advances: bool = True,
    prorated_at: int | None = None,
) -> Document:
    """A draft over these charges and whatever waits for the subscription, told as `invoice.created`.

    `reason` is its `billing_reason`, `period` (now, where there is none) what its `period_start` and `period_end`
    say. Whether it moves on by itself, `advances` tells. It becomes the subscription's latest invoice, which is not
    saved yet.
    """
    customer = world.get("customer", subscription["customer"])
    parent = details(subscription)
    if prorated_at is not None:
        parent["subscription_details"]["subscription_proration_date"] = prorated_at
    settings = subscription["invoice_settings"]
    given: dict[str, Any] = {
        "auto_advance": advances,
        "collection_method": subscription["collection_method"],
        "currency": subscription["currency"],
    }
    if subscription["collection_method"] == "send_invoice":
        given["days_until_due"] = subscription["days_until_due"]
    invoice = invoicing.draft(
        world,
        customer,
        given,
        billing_reason=reason,
        parent=parent,
        terms={
            "custom_fields": settings["custom_fields"],
            "default_tax_rates": [dict(rate) for rate in subscription["default_tax_rates"]],
            "description": settings["description"] or subscription["description"],
            "discounts": discounting.in_force(world, subscription["discounts"], world.now),
            "footer": settings["footer"],
            "period_end": world.now if period is None else period.end,
            "period_start": world.now if period is None else period.start,
        },
        waiting=invoiceitem.awaiting(world, subscription),
        lines=lambda invoice: subscription_lines.lines(world, subscription, charges, invoice),
    )
    subscription["latest_invoice"] = invoice.id
    subscription["discounts"] = discounting.spend(world, subscription["discounts"], invoice)
    for charge in charges:
        note_billed(world, subscription, charge, invoice)
        charge.item["discounts"] = discounting.spend(world, charge.item["discounts"], invoice)
    return invoice


def note_billed(world: World, subscription: Document, charge: Charge, invoice: Document) -> None:
    """Remember on an item what was billed for its period: that is what a later change gives back."""
    item = charge.item
    if "quantity" not in item:
        return
    made = [line for line in invoice_lines.of(invoice) if _is_of(line, item.id)]
    price = world.ever("price", item["price"]["id"])
    whole = (
        0 if charge.is_trial or charge.is_free else price_costs.total(price, subscription["currency"], item["quantity"])
    )
    period = charge.whole or charge.period
    item.private["billed"] = {
        "amount": whole - sum(_own_discounts(line) for line in made),
        "end": period.end,
        "invoice": invoice.id,
        "lines": [line["id"] for line in made],
        "start": period.start,
    }


def collect(world: World, subscription: Document, invoice: Document, *, is_first: bool) -> StripeError | None:
    """Finalise a draft and collect it at once, with what the customer left with us.

    Gives back the refusal, where it is not paid (or on its way from a slow bank) then: a decline, or that the payer
    must confirm at their bank. What was written stays.

    Raises:
        StripeError: 400 where something is due and there is nothing to charge.
    """
    invoicing.finalize(world, invoice, advances=True)
    if invoice["status"] == "paid":
        return None
    method = invoice_collection.method_of(world, invoice)
    if method is None:
        raise invoice_collection.no_method()
    if is_first:
        # Until it is paid there is no subscription that could owe anything: nothing is tried again by itself.
        let_rest(world, invoice)
    try:
        invoice_collection.charge(world, invoice, method, is_automatic=not is_first)
    except StripeError as refusal:
        if not refusal.keeps_work:
            raise
        return refusal
    intent = invoice_collection.intent_of(world, invoice)
    return needs_payer(intent) if intent["status"] == "requires_action" else None


def is_on_its_way(world: World, invoice: Document) -> bool:
    """Whether a slow bank still has to answer."""
    return invoice["status"] == "open" and bool(invoice_collection.intent_of(world, invoice)["status"] == "processing")


def let_rest(world: World, invoice: Document) -> None:
    """Leave an open invoice to its payer."""
    invoice["next_payment_attempt"] = None
    world.save(invoice)
    invoicing.plan(world, invoice)


def needs_payer(intent: Document) -> StripeError:
    """402: the customer has to confirm at their bank; nothing is kept."""
    return StripeError(
        NEEDS_PAYER,
        status=402,
        type="card_error",
        code="subscription_payment_intent_requires_action",
        payment_intent=dict(intent),
    )


def _is_of(line: dict[str, Any], item: str) -> bool:
    made_for = line["parent"]["subscription_item_details"] or {}
    return made_for.get("subscription_item") == item and made_for.get("invoice_item") is None


def _own_discounts(line: dict[str, Any]) -> int:
    """What the item's own discounts took off its line."""
    return sum(taken["amount"] for taken in line["discount_amounts"] if taken["discount"] in line["discounts"])
