"""Invoice payments: which payment intent is to pay an invoice, and whether it has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from paydesk.emulator.kernel import lists
from paydesk.emulator.kernel.document import Document
from paydesk.emulator.kernel.kinds import Kind
from paydesk.emulator.kernel.routes import listing, retrieve

if TYPE_CHECKING:
    from paydesk.emulator.kernel.world import World

INVOICE_PAYMENT = Kind(
    "invoice_payment",
    "inpay_",
    missing="No such invoice payment: '%s'",
    missing_param="invoice_payment",
    filters=("invoice", "payment.payment_intent", "payment.type", "status"),
    references={"invoice": "invoice", "payment.charge": "charge", "payment.payment_intent": "payment_intent"},
)


def expect(world: World, invoice: Document, intent: Document, *, is_default: bool = True) -> Document:
    """What an intent is to pay of an invoice; the default one was made for just that."""
    return world.add(
        Document(
            {
                "id": world.mint("inpay_"),
                "object": "invoice_payment",
                "amount_paid": None,
                "amount_requested": intent["amount"],
                "created": world.now,
                "currency": invoice["currency"],
                "invoice": invoice.id,
                "is_default": is_default,
                "livemode": world.livemode,
                "payment": {"payment_intent": intent.id, "type": "payment_intent"},
                "status": "open",
                "status_transitions": {"canceled_at": None, "paid_at": None},
            }
        )
    )


def default_of(world: World, invoice: Document) -> Document | None:
    """The payment that was made for an invoice."""
    return next((payment for payment in of_invoice(world, invoice) if payment["is_default"]), None)


def of_invoice(world: World, invoice: Document) -> list[Document]:
    """All payments of an invoice, newest first."""
    return list(world.having("invoice_payment", "invoice", invoice.id))


def of_intent(world: World, intent: Document) -> list[Document]:
    """What an intent is to pay, in the order in which it was attached."""
    return list(world.having("invoice_payment", "payment.payment_intent", intent.id))[::-1]


def unspent(world: World, intent: Document) -> int:
    """How much of what an intent received has not gone to an invoice."""
    return int(intent["amount_received"] - sum(payment["amount_paid"] or 0 for payment in of_intent(world, intent)))


def embedded(world: World, invoice: Document) -> dict[str, Any]:
    """The payments as a list inside their invoice: what `expand[]=payments` shows."""
    # The address is Stripe's own, though nothing answers there.
    page = lists.page(
        world, INVOICE_PAYMENT, "/v1/invoices/payments", {"invoice": invoice.id}, narrowed_by=("invoice",)
    )
    return page.value()


def fulfil(world: World, payment: Document, amount: int) -> None:
    """The money is there; whoever took it tells of it."""
    payment["amount_paid"], payment["status"] = amount, "paid"
    payment["status_transitions"]["paid_at"] = world.now
    world.save(payment)


def cancel(world: World, payment: Document) -> None:
    """Nobody waits for this payment any more."""
    payment["status"] = "canceled"
    payment["status_transitions"]["canceled_at"] = world.now
    world.save(payment)


KINDS = (INVOICE_PAYMENT,)
ROUTES = (
    retrieve("/v1/invoice_payments/{invoice_payment}", INVOICE_PAYMENT),
    listing(
        "/v1/invoice_payments",
        INVOICE_PAYMENT,
        filters="invoice payment.payment_intent payment.payment_record payment.type status",
    ),
)
TASKS: dict[str, Any] = {}
