"""Invoicing: an invoice's life, from the draft to the money, and the other ways in which it can end.

Requests, the agenda and subscriptions all go through here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel.errors import invalid
from paydesk.emulator.resources import (
    billing_settings,
    customer_balance_transaction,
    invoice_discounts,
    invoice_lines,
    invoice_payment,
    invoice_shape,
    invoiceitem,
    payment_intent,
)
from paydesk.emulator.resources.customer_balance_transaction import check_one_currency
from paydesk.emulator.rules import dunning, invoice_attempts
from paydesk.emulator.rules.invoice_totals import settle
from paydesk.emulator.rules.money import check_charge_amount

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World
    from paydesk.emulator.resources.invoice_lines import Line

FINALIZE: Final = "invoice.finalize"
COLLECT: Final = "invoice.collect"
WILL_BE_DUE: Final = "invoice.will_be_due"
OVERDUE: Final = "invoice.overdue"
OVERDUE_ENDS: Final = "invoice.overdue_ends"
PROGRESSED: Final = "invoice.payment_progressed"
# Done with an invoice's id whenever an invoice of a subscription has come a step further.
MOVED: Final = "subscription.invoice_moved"
# Done with the id of a renewal's draft just before it is finalised: what was used is counted again.
MEASURE: Final = "subscription.measure"

GIVEN_UP_REASONS: Final = ("max_payment_attempts", "payment_not_received")
NOT_OPEN: Final = "You can only pass in open invoices. This invoice isn't open."
_PURPOSES: Final = {"subscription_create": "Subscription creation", "subscription_update": "Subscription update"}
_PURPOSE: Final = "Payment for Invoice"


def draft(
    world: World,
    customer: Document,
    given: dict[str, Any],
    *,
    billing_reason: str = "manual",
    parent: dict[str, Any] | None = None,
    terms: Mapping[str, Any] | None = None,
    waiting: Sequence[Document] = (),
    lines: Callable[[str], Sequence[Line]] | None = None,
    is_prepaid: bool = False,
    echo: Callable[[Document], None] | None = None,
) -> Document:
    """A new draft, told as `invoice.created`.

    `given` are the parameters of a create request, `terms` what whoever bills has settled already: fields of the
    invoice, as they are. `waiting` are the invoice items to take in. `lines` makes the other lines, from the new
    invoice's id. `is_prepaid` tells that the money is there already, so that the customer's balance is left alone.
    `echo` shows what a request said without effect.

    Raises:
        StripeError: 400 where the request contradicts itself or the customer.
    """
    check_one_currency(customer, given.get("currency"))
    invoice = invoice_shape.new(world, customer, given, billing_reason=billing_reason, parent=parent)
    invoice.update(terms or {})
    invoice.private["is_prepaid"] = is_prepaid
    made = [invoiceitem.assign(world, item, invoice) for item in waiting[: invoice_lines.ITEMS_MAX]]
    charged = [*made, *(lines(invoice.id) if lines is not None else ())]
    invoice_discounts.take(world, invoice, given, charged)
    invoice_lines.put(world, invoice, charged)
    if customer["currency"] is None:
        customer["currency"] = invoice["currency"]
        world.save(customer, "customer.updated")
    if echo is not None:
        echo(invoice)
    world.add(invoice, "invoice.created")
    plan(world, invoice)
    return invoice


def plan(world: World, invoice: Document) -> None:
    """Put on the agenda what an invoice's dates say, in place of what was there."""
    world.unschedule((FINALIZE, COLLECT, WILL_BE_DUE, OVERDUE, OVERDUE_ENDS), invoice.id)
    if invoice["status"] == "draft":
        if invoice["automatically_finalizes_at"] is not None:
            world.schedule(invoice["automatically_finalizes_at"], FINALIZE, invoice.id)
    elif invoice["status"] == "open":
        if invoice["next_payment_attempt"] is not None:
            world.schedule(invoice["next_payment_attempt"], COLLECT, invoice.id)
        if invoice["due_date"] is not None:
            _plan_due(world, invoice.id, invoice["due_date"])


def finalize(
    world: World, invoice: Document, *, advances: bool | None = None, paid_with: Document | None = None
) -> None:
    """Make a draft an invoice: numbered, with the customer's balance used, and a payment intent for what is due.

    Where nothing is due it is paid at once. `advances` sets `auto_advance`. `paid_with` is the payment intent where
    there is one already, over just what is due.

    Raises:
        StripeError: 400 where it is no draft, or more is due than can be charged. Nothing was written then.
    """
    if invoice["status"] != "draft":
        raise invalid("This invoice is already finalized, you can't re-finalize a non-draft invoice.")
    customer = world.get("customer", invoice["customer"], param="customer")
    if invoice["billing_reason"] == "subscription_cycle":
        world.perform(MEASURE, invoice.id)
    invoice_lines.weigh(world, invoice)
    if invoice["amount_due"]:
        check_charge_amount(invoice["amount_due"], invoice["currency"])
    invoice.update(invoice_shape.of_customer(world, customer))
    _use_balance(world, invoice, customer)
    if advances is not None:
        invoice["auto_advance"] = advances
    if invoice["number"] is None:
        invoice["number"] = f"{customer['invoice_prefix']}-{customer['next_invoice_sequence']:04d}"
        customer["next_invoice_sequence"] += 1
    world.save(customer)
    _open(world, invoice)
    if invoice["amount_due"]:
        invoice_payment.expect(world, invoice, paid_with or _intent(world, invoice))
    world.save(invoice)
    world.emit("invoice.finalized", invoice)
    if invoice["amount_due"] == 0:
        invoice["attempted"] = True
        close(world, invoice, event=None)
    plan(world, invoice)
    tell_subscription(world, invoice)


def pay_out_of_band(world: World, invoice: Document) -> None:
    """Note that the customer paid in some other way."""
    invoice["amount_paid"] = invoice["amount_due"]
    close(world, invoice)
    plan(world, invoice)
    tell_subscription(world, invoice)


def void(world: World, invoice: Document) -> None:
    """Take an invoice back, as if it had never been.

    Raises:
        StripeError: 400 where it is not open, or not marked uncollectible.
    """
    if invoice["status"] == "paid" or invoice["amount_paid"]:
        raise invalid("Invoices with `paid` payments cannot be voided.")
    if invoice["status"] not in ("open", "uncollectible"):
        raise invalid(NOT_OPEN)
    _call_off_payments(world, invoice)
    _give_balance_back(world, invoice)
    invoice["status"] = "void"
    invoice["status_transitions"]["voided_at"] = world.now
    _stop(invoice)
    world.save(invoice, "invoice.updated")
    world.emit("invoice.voided", invoice)
    plan(world, invoice)
    tell_subscription(world, invoice)


def mark_uncollectible(world: World, invoice: Document, reason: str = "user_forgiven") -> None:
    """Stop expecting the money; it may come all the same.

    Raises:
        StripeError: 400 where it is not open.
    """
    if invoice["status"] == "uncollectible":
        raise invalid("This invoice has already been marked uncollectible.")
    if invoice["status"] != "open":
        raise invalid(NOT_OPEN)
    invoice["status"] = "uncollectible"
    invoice["status_details"] = {"uncollectible": {"reason": reason}}
    invoice["status_transitions"]["marked_uncollectible_at"] = world.now
    _stop(invoice)
    world.save(invoice, "invoice.updated")
    world.emit("invoice.marked_uncollectible", invoice)
    note_standing(world, invoice, is_late=False)
    plan(world, invoice)
    # Where dunning has ended, it has its own word about the subscription.
    if reason not in GIVEN_UP_REASONS:
        tell_subscription(world, invoice)


def send(world: World, invoice: Document) -> None:
    """Send an invoice to the customer, finalised first where it is a draft.

    Raises:
        StripeError: 400 where its collection method is another, or it is over.
    """
    if invoice["collection_method"] != "send_invoice":
        raise invalid("You can only send invoices whose collection method is 'send_invoice'.")
    if invoice["status"] == "draft":
        finalize(world, invoice)
    elif invoice["status"] != "open":
        raise invalid(NOT_OPEN)
    world.emit("invoice.sent", invoice)


def close(world: World, invoice: Document, *, event: str | None = "invoice.updated") -> None:
    """Nothing more is owed: the invoice is paid, and nobody waits for other payments of it."""
    invoice["amount_remaining"] = 0
    invoice["status"] = "paid"
    invoice["status_transitions"]["paid_at"] = world.now
    _stop(invoice)
    _call_off_payments(world, invoice)
    world.save(invoice, event)
    world.emit("invoice.paid", invoice)
    world.emit("invoice.payment_succeeded", invoice)
    note_standing(world, invoice, is_late=False)


def subscription_of(invoice: Document) -> str | None:
    """The subscription an invoice bills, if it bills one."""
    details: dict[str, Any] = (invoice["parent"] or {}).get("subscription_details") or {}
    return details.get("subscription")


def tell_subscription(world: World, invoice: Document) -> None:
    """Let the subscription that an invoice bills take note of what became of it."""
    if subscription_of(invoice) is not None:
        world.perform(MOVED, invoice.id)


def note_standing(world: World, invoice: Document, *, is_late: bool) -> None:
    """`delinquent` of a customer tells what became of whichever of their invoices moved last."""
    customer = world.find("customer", invoice["customer"])
    if customer is not None and customer["delinquent"] != is_late:
        customer["delinquent"] = is_late
        world.save(customer, "customer.updated")


def _plan_due(world: World, identifier: str, due_date: int) -> None:
    settings = billing_settings.of(world)
    reminder, end = dunning.reminder(settings, due_date), dunning.overdue_end(settings, due_date)
    if reminder is not None and reminder > world.now:
        world.schedule(reminder, WILL_BE_DUE, identifier)
    if due_date >= world.now:
        world.schedule(due_date, OVERDUE, identifier)
    if end is not None and end > world.now:
        world.schedule(end, OVERDUE_ENDS, identifier)


def _open(world: World, invoice: Document) -> None:
    secret = f"{invoice.id.removeprefix('in_')}{world.characters(32)}"
    mode = "live" if world.livemode else "test"
    place = f"{world.sandbox.account}/{mode}_{secret}"
    invoice.private["secret"] = secret
    invoice["hosted_invoice_url"] = f"{world.base_url}/i/{place}?s=ap"
    invoice["invoice_pdf"] = f"{world.base_url}/invoice/{place}/pdf?s=ap"
    invoice["status"] = "open"
    invoice["status_transitions"]["finalized_at"] = world.now
    invoice["automatically_finalizes_at"] = None
    if invoice["effective_at"] is None:
        invoice["effective_at"] = world.now
    is_charged = invoice["auto_advance"] and invoice["collection_method"] == "charge_automatically"
    if not is_charged:
        invoice["next_payment_attempt"] = None
    elif invoice["next_payment_attempt"] is None:
        invoice["next_payment_attempt"] = world.now + invoice_attempts.RESTS_SECONDS
    else:
        invoice["next_payment_attempt"] = max(world.now, invoice["next_payment_attempt"])


def _use_balance(world: World, invoice: Document, customer: Document) -> None:
    if invoice.private.get("is_prepaid"):
        invoice["ending_balance"] = invoice["starting_balance"]
        return
    settlement = settle(invoice["total"], customer["balance"], invoice["currency"])
    before = customer["balance"]
    for amount, reason in ((settlement.applied, "applied_to_invoice"), (settlement.carried, "invoice_too_small")):
        if amount:
            customer_balance_transaction.move(
                world, customer, amount, type=reason, currency=invoice["currency"], invoice=invoice.id
            )
    invoice["starting_balance"], invoice["ending_balance"] = before, customer["balance"]
    if customer["balance"] != before:
        world.save(customer, "customer.updated")


def _give_balance_back(world: World, invoice: Document) -> None:
    customer = world.find("customer", invoice["customer"])
    moved = (invoice["ending_balance"] or 0) - invoice["starting_balance"]
    if moved and customer is not None:
        customer_balance_transaction.move(
            world, customer, -moved, type="unapplied_from_invoice", currency=invoice["currency"], invoice=invoice.id
        )
        world.save(customer, "customer.updated")


def _intent(world: World, invoice: Document) -> Document:
    given = {
        "amount": invoice["amount_due"],
        "capture_method": "automatic",
        "currency": invoice["currency"],
        "customer": invoice["customer"],
        "description": _PURPOSES.get(invoice["billing_reason"], _PURPOSE),
        "statement_descriptor": invoice["statement_descriptor"],
    }
    if invoice["payment_settings"]["payment_method_types"]:
        given["allowed_payment_method_types"] = invoice["payment_settings"]["payment_method_types"]
    if invoice["billing_reason"].startswith("subscription"):
        given["setup_future_usage"] = "off_session"
    return payment_intent.open_intent(world, given, invoice=invoice.id, followed_by=PROGRESSED)


def _call_off_payments(world: World, invoice: Document) -> None:
    for payment in invoice_payment.of_invoice(world, invoice):
        if payment["status"] != "open":
            continue
        invoice_payment.cancel(world, payment)
        # An intent that was only attached is its maker's.
        if payment["is_default"]:
            payment_intent.give_up(world, world.get("payment_intent", payment["payment"]["payment_intent"]))


def _stop(invoice: Document) -> None:
    invoice["auto_advance"] = False
    invoice["next_payment_attempt"] = None
