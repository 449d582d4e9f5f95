"""Giving back: how what a credit note takes off a paid invoice reaches the customer.

As refunds, made now or before; as credit for their next invoice; or in some way that only the business knows of.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from paydesk.emulator.kernel.errors import StripeError, invalid, missing_param
from paydesk.emulator.resources import customer_balance_transaction, invoice_payment, refund
from paydesk.emulator.rules.money import amount_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World


@dataclass(frozen=True)
class Returns:
    """The ways back, and how much goes each way. `linked` are refunds that were made before."""

    refund: int
    credit: int
    out_of_band: int
    linked: tuple[tuple[Document, int], ...]

    @property
    def total(self) -> int:
        """What goes back in all."""
        return self.refund + self.credit + self.out_of_band + sum(amount for _, amount in self.linked)


def asked(world: World, invoice: Document, notes: Iterable[Document], given: dict[str, Any]) -> Returns:
    """What a request says. `notes` are the credit notes that count already.

    Raises:
        StripeError: 400 for an amount below zero, or a refund that is not there to be linked.
    """
    for name in ("refund_amount", "credit_amount", "out_of_band_amount"):
        if (given.get(name) or 0) < 0:
            raise StripeError(
                "This value must be greater than or equal to 0.", code="parameter_invalid_integer", param=name
            )
    return Returns(
        refund=given.get("refund_amount") or 0,
        credit=given.get("credit_amount") or 0,
        out_of_band=given.get("out_of_band_amount") or 0,
        linked=tuple(_linked(world, invoice, tuple(notes), given.get("refunds") or ())),
    )


def check(world: World, invoice: Document, returns: Returns, owed: int) -> None:
    """Refuse ways back that do not come to what is owed, or that are not there."""
    currency = invoice["currency"]
    if returns.total != owed:
        raise invalid(
            f"The sum of `credit_amount`, `refund_amount`, `out_of_band_amount` and `refunds` "
            f"({amount_text(returns.total, currency)}) must equal what the credit note gives back of what was paid "
            f"({amount_text(owed, currency)})."
        )
    refundable = sum(_left(charge) for charge in charges(world, invoice))
    if returns.refund > refundable:
        raise invalid(
            f"The refund amount ({amount_text(returns.refund, currency)}) is greater than what is left of the "
            f"invoice's payments ({amount_text(refundable, currency)}).",
            param="refund_amount",
        )
    if returns.credit and world.find("customer", invoice["customer"]) is None:
        raise invalid("The invoice's customer was deleted and has no balance to credit.", param="credit_amount")


def carry_out(world: World, note: Document, invoice: Document, returns: Returns) -> None:
    """Refund and credit, and note it on the credit note, which is not kept yet."""
    note["refunds"] = [shown(made.id, amount) for made, amount in returns.linked]
    owed = returns.refund
    for charge in charges(world, invoice):
        amount = min(owed, _left(charge))
        if amount:
            note["refunds"].append(shown(refund.give_back(world, charge, amount).id, amount))
            owed -= amount
    if returns.credit:
        customer = world.get("customer", invoice["customer"])
        moved = customer_balance_transaction.move(
            world,
            customer,
            -returns.credit,
            type="credit_note",
            currency=note["currency"],
            invoice=invoice.id,
            credit_note=note.id,
        )
        note["customer_balance_transaction"] = moved.id
        world.save(customer, "customer.updated")


def charges(world: World, invoice: Document) -> list[Document]:
    """The charges that paid an invoice, newest first."""
    found = []
    for payment in invoice_payment.of_invoice(world, invoice):
        if payment["status"] == "paid":
            intent = world.get("payment_intent", payment["payment"]["payment_intent"])
            found.append(world.get("charge", intent["latest_charge"]))
    return found


def refunded_apart(world: World, invoice: Document, notes: Iterable[Document]) -> int:
    """What was refunded of an invoice's payments without any credit note saying so."""
    refunded: int = sum(charge["amount_refunded"] for charge in charges(world, invoice))
    told: int = sum(one["amount_refunded"] for note in notes for one in note["refunds"])
    return max(0, refunded - told)


def shown(identifier: str, amount: int) -> dict[str, Any]:
    """A refund as a credit note shows it."""
    return {"amount_refunded": amount, "payment_record_refund": None, "refund": identifier, "type": "refund"}


def _left(charge: Document) -> int:
    left: int = charge["amount_captured"] - charge["amount_refunded"]
    return left


def _linked(
    world: World, invoice: Document, notes: tuple[Document, ...], given: Iterable[dict[str, Any]]
) -> Iterable[tuple[Document, int]]:
    own = {charge.id for charge in charges(world, invoice)}
    used: dict[str, int] = {}
    for known in (known for note in notes for known in note["refunds"]):
        used[known["refund"]] = used.get(known["refund"], 0) + known["amount_refunded"]
    for place, one in enumerate(given):
        param = f"refunds[{place}]"
        if one.get("refund") is None:
            raise missing_param(f"{param}[refund]")
        made = world.get("refund", one["refund"], param=f"{param}[refund]")
        if made["charge"] not in own:
            raise invalid(f"The refund {made.id} is not of a payment of this invoice.", param=f"{param}[refund]")
        left = made["amount"] - used.get(made.id, 0)
        amount = one.get("amount_refunded", left)
        if not 0 < amount <= left:
            raise invalid(
                f"{amount_text(amount, made['currency'])} cannot be linked: {amount_text(left, made['currency'])} of "
                "this refund is in no credit note yet.",
                param=f"{param}[amount_refunded]",
            )
        used[made.id] = used.get(made.id, 0) + amount
        yield made, amount
