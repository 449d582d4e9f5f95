"""Settling: what is still owed of an invoice, as payments and credit notes reach it one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from paydesk.emulator.kernel.errors import StripeError, invalid
from paydesk.emulator.resources import customer_balance_transaction, invoice_payment, invoicing
from paydesk.emulator.rules.money import amount_text

if TYPE_CHECKING:
    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World

_TAKES = ("open", "uncollectible")
# What a bank has been asked for already is not changed any more.
_ASKED = ("processing", "requires_capture")


def share_out(world: World, intent: Document, *, counts: bool = False) -> None:
    """An intent has succeeded: what it received goes to the invoices that wait for it, one after the other.

    What the last of them does not need becomes the customer's credit. `counts` tells whether the attempt that brought
    the money is one of the invoice's own.
    """
    waiting = [payment for payment in invoice_payment.of_intent(world, intent) if payment["status"] == "open"]
    for place, payment in enumerate(waiting, 1):
        invoice, left = world.get("invoice", payment["invoice"]), invoice_payment.unspent(world, intent)
        amount = left if place == len(waiting) else min(left, invoice["amount_remaining"])
        if amount:
            _receive(world, invoice, payment, amount, counts=counts)


def _receive(world: World, invoice: Document, payment: Document, amount: int, *, counts: bool) -> None:
    if payment["is_default"]:
        invoice["attempted"] = True
        invoice["attempt_count"] += counts
    invoice_payment.fulfil(world, payment, amount)
    invoice["amount_paid"] += amount
    excess = invoice["amount_paid"] - invoice["amount_due"]
    invoice["amount_remaining"] = max(0, -excess)
    invoice["amount_overpaid"] = max(0, excess)
    if excess >= 0:
        invoicing.close(world, invoice)
    else:
        _ask_for_the_rest(world, invoice)
        world.save(invoice, "invoice.updated")
    world.emit("invoice_payment.paid", payment)
    if excess > 0:
        _keep_excess(world, invoice, excess)
    invoicing.plan(world, invoice)
    invoicing.tell_subscription(world, invoice)


def credit(world: World, invoice: Document, *, before: int, after: int) -> None:
    """A credit note says that less is owed: so much `before` it is paid, and so much `after` it was."""
    invoice["amount_due"] -= before
    invoice["amount_remaining"] -= before
    invoice["pre_payment_credit_notes_amount"] += before
    invoice["post_payment_credit_notes_amount"] += after
    if before and invoice["amount_remaining"] == 0:
        invoicing.close(world, invoice)
    else:
        _ask_for_the_rest(world, invoice)
        world.save(invoice, "invoice.updated")
    invoicing.plan(world, invoice)
    invoicing.tell_subscription(world, invoice)


def owe_again(world: World, invoice: Document, amount: int) -> None:
    """A credit note was taken back while its invoice is open."""
    invoice["amount_due"] += amount
    invoice["amount_remaining"] += amount
    invoice["pre_payment_credit_notes_amount"] -= amount
    _ask_for_the_rest(world, invoice)
    world.save(invoice, "invoice.updated")


def attach(world: World, invoice: Document, intent: Document) -> None:
    """Let a payment intent made elsewhere pay an invoice: at once if it has succeeded, else as soon as it does.

    Raises:
        StripeError: 400 where the invoice takes no money, or the intent has none for it.
    """
    if invoice["status"] not in _TAKES:
        raise invalid(invoicing.NOT_OPEN)
    _check_attachable(world, invoice, intent)
    invoice_payment.expect(world, invoice, intent, is_default=False)
    if intent["status"] == "succeeded":
        share_out(world, intent)
        return
    intent.private["followed_by"] = invoicing.PROGRESSED
    world.save(intent)


def _check_attachable(world: World, invoice: Document, intent: Document) -> None:
    if intent["currency"] != invoice["currency"]:
        raise _unfit(intent, f"it is in {intent['currency']}, and the invoice in {invoice['currency']}.")
    if intent["customer"] not in (None, invoice["customer"]):
        raise _unfit(intent, "it belongs to another customer.")
    if intent["status"] == "canceled":
        raise _unfit(intent, "it has a status of canceled.")
    if any(payment["invoice"] == invoice.id for payment in invoice_payment.of_intent(world, intent)):
        raise _unfit(intent, "it is attached to this invoice already.")
    follower = intent.private.get("followed_by")
    if intent.private.get("invoice") or follower not in (None, invoicing.PROGRESSED):
        raise _unfit(intent, "it was made to pay for something else.")
    if intent["status"] == "succeeded" and not invoice_payment.unspent(world, intent):
        spent = amount_text(intent["amount_received"], intent["currency"])
        raise _unfit(intent, f"all of its {spent} went to other invoices.")


def _unfit(intent: Document, why: str) -> StripeError:
    return invalid(f"The PaymentIntent {intent.id} cannot be attached to this invoice: {why}", param="payment_intent")


def _ask_for_the_rest(world: World, invoice: Document) -> None:
    """The invoice's own payment intent asks for what is still owed."""
    payment = invoice_payment.default_of(world, invoice)
    if payment is None or payment["status"] != "open":
        return
    intent = world.get("payment_intent", payment["payment"]["payment_intent"])
    if intent["status"] not in _ASKED:
        payment["amount_requested"] = intent["amount"] = invoice["amount_remaining"]
        world.save(payment)
        world.save(intent)


def _keep_excess(world: World, invoice: Document, excess: int) -> None:
    world.emit("invoice.overpaid", invoice)
    customer = world.find("customer", invoice["customer"])
    if customer is not None:
        customer_balance_transaction.move(
            world, customer, -excess, type="invoice_overpaid", currency=invoice["currency"], invoice=invoice.id
        )
        world.save(customer, "customer.updated")
