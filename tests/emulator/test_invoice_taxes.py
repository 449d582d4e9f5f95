"""Taxes on invoices, by rates that are named by hand."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.emulator.invoicing import customer, drafted, refused


def rate(client: stripe.StripeClient, percentage: float, *, inclusive: bool = False) -> stripe.TaxRate:
    """A tax rate."""
    return client.v1.tax_rates.create({"display_name": "VAT", "percentage": percentage, "inclusive": inclusive})


def sums(invoice: stripe.Invoice) -> tuple[int | None, ...]:
    """Subtotal, the same without tax, total, the same without tax, and what is due."""
    return (
        invoice.subtotal,
        invoice.subtotal_excluding_tax,
        invoice.total,
        invoice.total_excluding_tax,
        invoice.amount_due,
    )


@pytest.mark.parametrize(
    ("inclusive", "expected", "tax", "taxable"),
    [(False, (1000, 1000, 1190, 1000, 1190), 190, 1000), (True, (1000, 840, 1000, 840, 1000), 160, 840)],
)
def test_a_tax_comes_on_top_or_is_inside(
    client: stripe.StripeClient, inclusive: bool, expected: tuple[int, ...], tax: int, taxable: int
) -> None:
    """As its rate says; the line keeps its amount, and shows the tax beside it."""
    vat = rate(client, 19, inclusive=inclusive)

    invoice = drafted(client, customer(client), 1000, default_tax_rates=[vat.id])

    line: Any = invoice.lines.data[0]
    assert sums(invoice) == expected
    assert (line.amount, line.taxes[0].amount, line.taxes[0].taxable_amount) == (1000, tax, taxable)
    assert line.taxes[0].tax_rate_details.tax_rate == vat.id
    assert [one.amount for one in invoice.total_taxes or ()] == [tax]
    assert [one.id for one in invoice.default_tax_rates] == [vat.id]


def test_a_lines_own_rates_come_first(client: stripe.StripeClient) -> None:
    """Each line is rounded on its own, and the invoice adds up what each rate brought."""
    ada = customer(client)
    usual, other = rate(client, 10), rate(client, 7.25)
    draft = drafted(client, ada, 105, 105, default_tax_rates=[usual.id])
    client.v1.invoice_items.create(
        {"customer": ada.id, "invoice": draft.id, "amount": 1999, "currency": "usd", "tax_rates": [other.id, usual.id]}
    )

    invoice = client.v1.invoices.retrieve(draft.id)

    lines: Any = invoice.lines.data
    totals: Any = invoice.total_taxes
    assert [[tax.amount for tax in line.taxes] for line in lines] == [[11], [11], [145, 200]]
    assert {one.tax_rate_details.tax_rate: one.amount for one in totals} == {usual.id: 222, other.id: 145}
    assert invoice.total == 105 + 105 + 1999 + 222 + 145


@pytest.mark.parametrize(("exempt", "reason"), [("exempt", "customer_exempt"), ("reverse", "reverse_charge")])
def test_who_is_exempt_pays_no_tax(client: stripe.StripeClient, exempt: str, reason: str) -> None:
    """The invoice says why."""
    invoice = drafted(client, customer(client, tax_exempt=exempt), 1000, default_tax_rates=[rate(client, 19).id])

    taxes: Any = invoice.total_taxes
    (tax,) = taxes
    assert (invoice.total, tax.amount, tax.taxability_reason) == (1000, 0, reason)


def test_rates_of_a_draft_can_be_changed(client: stripe.StripeClient) -> None:
    """Its sums follow; an archived rate cannot be applied any more."""
    draft = drafted(client, customer(client), 1000)
    vat, gone = rate(client, 19), rate(client, 5)
    client.v1.tax_rates.update(gone.id, {"active": False})

    taxed = client.v1.invoices.update(draft.id, {"default_tax_rates": [vat.id]})
    free = client.v1.invoices.update(draft.id, {"default_tax_rates": ""})

    assert (taxed.total, free.total, free.default_tax_rates) == (1190, 1000, [])
    with refused("has been archived") as refusal:
        client.v1.invoices.update(draft.id, {"default_tax_rates": [gone.id]})
    assert refusal.value.param == "default_tax_rates[0]"
