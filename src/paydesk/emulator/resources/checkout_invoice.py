"""The invoice that follows a one-time payment in Checkout, where the seller asked for one: paid, as it is written.

It says what the session said, line by line, with its discount and its taxes. The money came before it: the customer's
balance stays out of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from paydesk.emulator.kernel.document import Document
from paydesk.emulator.resources import (
    checkout_discounts,
    customer_balance_transaction,
    invoice_pricing,
    invoice_settling,
    invoiceitem,
    invoicing,
)
from paydesk.emulator.resources.checkout_line_items import lines_of

if TYPE_CHECKING:
    from paydesk.emulator.kernel.world import World

TAKEN = ("custom_fields", "description", "footer", "metadata")


def is_wanted(session: Document) -> bool:
    """Whether an invoice is to follow the payment. It needs a customer."""
    return bool((session["invoice_creation"] or {}).get("enabled"))


def check(world: World, session: Document) -> None:
    """Refuse to take money for an invoice that could not be written.

    Raises:
        StripeError: 400 where the customer is billed in another currency.
    """
    customer = world.find("customer", session["customer"]) if session["customer"] else None
    if is_wanted(session) and customer is not None:
        customer_balance_transaction.check_one_currency(customer, session["currency"])


def bill(world: World, session: Document, intent: Document | None) -> None:
    """Write the invoice of a session that was paid by this intent, or (None) was free. The session is not saved yet."""
    customer = world.get("customer", session["customer"])
    told = session["invoice_creation"]["invoice_data"]
    given = {name: told[name] for name in TAKEN if told[name] is not None}
    discount = checkout_discounts.lasting(world, session)
    invoice = invoicing.draft(
        world,
        customer,
        given | {"currency": session["currency"]},
        terms={"discounts": [] if discount is None else [discount.id]},
        waiting=[_item(world, session, customer, line) for line in lines_of(session)],
        is_prepaid=True,
    )
    session["invoice"] = invoice.id
    invoicing.finalize(world, invoice, paid_with=intent)
    if intent is not None:
        invoice_settling.share_out(world, intent)


def _item(world: World, session: Document, customer: Document, line: dict[str, Any]) -> Document:
    cost = invoice_pricing.of_price(world, world.ever("price", line["price"]), session["currency"], line["quantity"])
    return invoiceitem.charge(world, customer, cost, description=line["description"], tax_rates=line["tax_rates"])
