"""The books at the end of the story: what the shop wrote down, held against what Stripe has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from paydesk.billing.money import show
from paydesk.cli.demo.witness import Step, Witness, expect

if TYPE_CHECKING:
    from collections.abc import Mapping

    from paydesk.cli.demo.stage import Stage

# What is known of a thing, to be read side by side.
Known = tuple[object, ...]

LEDGER = "SELECT sum(amount_minor - amount_refunded_minor) FROM orders WHERE status IN ('paid', 'refunded')"
INVOICED = "SELECT sum(amount_paid_minor) FROM invoices"


def compare(stage: Stage, witness: Witness) -> Step:
    """Every subscription, every invoice, and the money. Raises WentWrong."""
    witness.settle()
    v1 = stage.client.v1
    subscriptions: dict[str, Known] = {
        one.id: (one.status, one.latest_invoice)
        for one in v1.subscriptions.list({"status": "all", "limit": 100}).auto_paging_iter()
    }
    _agree(_written(stage, "SELECT id, status, latest_invoice_id FROM subscriptions"), subscriptions)
    invoices: dict[str, Known] = {
        str(one.id): (one.status, one.amount_paid) for one in v1.invoices.list({"limit": 100}).auto_paging_iter()
    }
    _agree(_written(stage, "SELECT id, status, amount_paid_minor FROM invoices"), invoices)
    charges = v1.charges.list({"limit": 100}).auto_paging_iter()
    taken = sum(charge.amount - charge.amount_refunded for charge in charges if charge.paid)
    written = witness.count(LEDGER) + witness.count(INVOICED)
    expect(written == taken, f"the shop wrote down {written}, Stripe took {taken}")
    sums = f"{len(subscriptions)} subscription, {len(invoices)} invoices, {show(taken, 'usd')} in all"
    return Step("the books are compared", f"{sums}; Stripe says the same")


def _written(stage: Stage, query: str) -> dict[str, Known]:
    """The rows of a query by their first column."""
    with stage.desk.store.engine.connect() as connection:
        return {row[0]: tuple(row[1:]) for row in connection.execute(text(query))}


def _agree(here: Mapping[str, Known], there: Mapping[str, Known]) -> None:
    for name in sorted(here.keys() | there.keys()):
        shop, stripe = here.get(name), there.get(name)
        expect(shop == stripe, f"of {name} the shop says {shop}, Stripe says {stripe}")
