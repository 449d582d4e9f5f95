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
    subscription_ledger,
    subscription_lines,
)
from paydesk.emulator.resources.subscription_shape import details
from paydesk.emulator.rules.proration import Period

if TYPE_CHECKING:
    from collections.abc import Sequence

    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World
    from paydesk.emulator.resources.invoice_lines import Line
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
    prorated_at: int | None = None,
) -> Document:
    """A draft over these charges and whatever waits for the subscription, told as `invoice.created`.

    `reason` is its `billing_reason`, `period` (now, where there is none) what its `period_start` and `period_end`
    say. It moves on by itself, unless the subscription's invoices are left as drafts. It becomes the subscription's
    latest invoice, which is not saved yet.
    """
    customer = world.get("customer", subscription["customer"])
    parent = details(subscription)
    if prorated_at is not None:
        parent["subscription_details"]["subscription_proration_date"] = prorated_at
    settings = subscription["invoice_settings"]
    given: dict[str, Any] = {
        "auto_advance": not _is_left(subscription),
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
            "payment_settings": _payment_settings(subscription),
            "period_start": world.now if period is None else period.start,
        },
        waiting=invoiceitem.awaiting(world, subscription),
        lines=lambda invoice: subscription_lines.lines(world, subscription, charges, invoice),
    )
    subscription["latest_invoice"] = invoice.id
    subscription["discounts"] = discounting.spend(world, subscription["discounts"], invoice)
    for charge in charges:
        _note_billed(charge, invoice)
        charge.item["discounts"] = discounting.spend(world, charge.item["discounts"], invoice)
    return invoice


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


def _is_left(subscription: Document) -> bool:
    """Whether its invoices are left as drafts."""
    behavior = (subscription["pause_collection"] or {}).get("behavior")
    return subscription["status"] == "unpaid" or behavior == "keep_as_draft"


def hold(world: World, subscription: Document, invoice: Document) -> bool:
    """Do with a draft what `pause_collection` wants; False: collection is not paused."""
    match (subscription["pause_collection"] or {}).get("behavior"):
        case None:
            return False
        case "keep_as_draft":
            return True
        case behavior:
            invoicing.finalize(world, invoice, advances=False)
            if invoice["status"] == "open" and behavior == "void":
                invoicing.void(world, invoice)
            elif invoice["status"] == "open":
                invoicing.mark_uncollectible(world, invoice, "subscription_paused")
            return True


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


def _payment_settings(subscription: Document) -> dict[str, Any]:
    """What a subscription passes on to its invoices of how they may be paid."""
    settings = subscription["payment_settings"]
    return {
        "default_mandate": None,
        "payment_method_options": settings["payment_method_options"],
        "payment_method_types": settings["payment_method_types"],
    }


def _note_billed(charge: Charge, invoice: Document) -> None:
    """Remember what was billed for an item's period, less what discounts took off: that is what a change gives back."""
    if "quantity" not in charge.item:
        return
    made = [line for line in invoice_lines.of(invoice) if _is_of(line, charge)]
    amount = sum(line["amount"] - sum(taken["amount"] for taken in line["discount_amounts"]) for line in made)
    lines = [line["id"] for line in made]
    subscription_ledger.begin(charge.item, amount, charge.period, invoice=invoice.id, lines=lines)


def _is_of(line: Line, charge: Charge) -> bool:
    made_for = line["parent"]["subscription_item_details"] or {}
    is_same_period = line["period"] == {"end": charge.period.end, "start": charge.period.start}
    is_own = made_for.get("subscription_item") == charge.item.id and made_for.get("invoice_item") is None
    return is_own and is_same_period
