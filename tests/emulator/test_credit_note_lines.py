"""The lines of a credit note: what it takes back of an invoice's lines, with their discounts and taxes."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.emulator.crediting import again, issue, of_line, owed
from tests.emulator.invoicing import customer, drafted, opened, refused


def test_lines_are_credited_with_their_taxes(client: stripe.StripeClient) -> None:
    """By amount or by quantity, or in words of one's own; what is inside a price stays inside."""
    ada = customer(client)
    on_top = client.v1.tax_rates.create({"display_name": "VAT", "percentage": 19, "inclusive": False})
    inside = client.v1.tax_rates.create({"display_name": "VAT", "percentage": 10, "inclusive": True})
    draft = drafted(client, ada, 1000, default_tax_rates=[on_top.id])
    three: Any = {"quantity": 3, "unit_amount_decimal": "550", "currency": "usd", "tax_rates": [inside.id]}
    client.v1.invoice_items.create(three | {"customer": ada.id, "invoice": draft.id})
    invoice = client.v1.invoices.pay(client.v1.invoices.finalize_invoice(draft.id).id)

    note = issue(
        client,
        invoice,
        lines=[
            of_line(invoice, 0, amount=500),
            of_line(invoice, 1, quantity=2),
            {"type": "custom_line_item", "description": "Sorry", "quantity": 2, "unit_amount": 50},
            {"type": "custom_line_item", "unit_amount_decimal": "100", "tax_rates": [on_top.id]},
        ],
        out_of_band_amount=500 + 95 + 1100 + 100 + 100 + 19,
    )

    lines: Any = note.lines.data
    assert [line.amount for line in lines] == [500, 1100, 100, 100]
    assert [sum(tax.amount for tax in line.taxes) for line in lines] == [95, 100, 0, 19]
    assert [[rate.id for rate in line.tax_rates] for line in lines] == [[on_top.id], [inside.id], [], [on_top.id]]
    assert [line.quantity for line in lines] == [None, 2, 2, 1]
    assert [line.description for line in lines[:3]] == ["Work", invoice.lines.data[1].description, "Sorry"]
    assert (note.subtotal, note.subtotal_excluding_tax) == (1800, 1700)
    assert (note.total, note.total_excluding_tax, note.amount) == (1914, 1700, 1914)
    totals: Any = note.total_taxes
    assert {one.tax_rate_details.tax_rate: one.amount for one in totals} == {on_top.id: 114, inside.id: 100}


def test_units_of_a_fraction_are_credited_by_its_price(client: stripe.StripeClient) -> None:
    """One hour of two and a half; not three of them."""
    ada = customer(client)
    draft = drafted(client, ada)
    hours: Any = {"unit_amount_decimal": "8000", "quantity_decimal": "2.5", "currency": "usd"}
    client.v1.invoice_items.create(hours | {"customer": ada.id, "invoice": draft.id})
    invoice = client.v1.invoices.finalize_invoice(draft.id)

    note = issue(client, invoice, lines=[of_line(invoice, quantity=1)])

    assert (invoice.total, note.total) == (20000, 8000)
    with refused() as refusal:
        issue(client, invoice, lines=[of_line(invoice, quantity=3)])
    assert refusal.value.param == "lines[0][quantity]"


def test_an_invoice_credited_line_by_line_comes_to_what_it_did(client: stripe.StripeClient) -> None:
    """With discounts on a line and on the whole, and taxes on top and inside: sum for sum."""
    ada = customer(client)
    on_top = client.v1.tax_rates.create({"display_name": "VAT", "percentage": 19, "inclusive": False})
    inside = client.v1.tax_rates.create({"display_name": "VAT", "percentage": 10, "inclusive": True})
    tenth = client.v1.coupons.create({"percent_off": 10, "duration": "once"})
    dollar = client.v1.coupons.create({"amount_off": 101, "currency": "usd", "duration": "once"})
    draft = drafted(client, ada, discounts=[{"coupon": dollar.id}])
    for amount, rate, coupons in ((999, on_top, [tenth]), (2001, inside, [tenth]), (333, inside, [])):
        client.v1.invoice_items.create(
            {
                "customer": ada.id,
                "invoice": draft.id,
                "amount": amount,
                "currency": "usd",
                "tax_rates": [rate.id],
                "discounts": [{"coupon": coupon.id} for coupon in coupons],
            }
        )
    invoice = client.v1.invoices.finalize_invoice(draft.id)

    note = issue(
        client, invoice, lines=[of_line(invoice, place, amount=line.amount) for place, line in enumerate(invoice.lines)]
    )

    sums = ("subtotal", "subtotal_excluding_tax", "total", "total_excluding_tax", "total_taxes")
    assert {name: note.to_dict()[name] for name in sums} == {name: invoice.to_dict()[name] for name in sums}
    assert note.to_dict()["discount_amounts"] == invoice.to_dict()["total_discount_amounts"]
    assert note.discount_amount == 100 + 200 + 101
    assert owed(again(client, invoice)) == ("paid", 0, 0, invoice.total, 0)


def test_a_line_credited_in_parts_gives_back_just_what_it_charged(client: stripe.StripeClient) -> None:
    """Three thirds of a line with an odd tax; after that there is nothing left of it."""
    vat = client.v1.tax_rates.create({"display_name": "VAT", "percentage": 7.25, "inclusive": False})
    invoice = opened(client, customer(client), 1000, 500, default_tax_rates=[vat.id])

    notes = [issue(client, invoice, lines=[of_line(invoice, amount=amount)]) for amount in (333, 333, 334)]

    assert sum(note.total for note in notes) == 1000 + 73
    assert [note.number for note in notes] == [f"{invoice.number}-CN-0{place}" for place in (1, 2, 3)]
    with refused() as refusal:
        issue(client, invoice, lines=[of_line(invoice, amount=1)])
    assert refusal.value.param == "lines[0][amount]"


def test_the_lines_are_a_list_of_their_own(client: stripe.StripeClient) -> None:
    """The credit note shows the first ten."""
    invoice = opened(client, customer(client), *[100] * 12)

    note = issue(client, invoice, lines=[of_line(invoice, place, amount=place + 1) for place in range(10)])
    more = issue(
        client,
        invoice,
        lines=[{"type": "custom_line_item", "unit_amount": 1, "description": str(place)} for place in range(12)],
    )

    page = client.v1.credit_notes.line_items.list(more.id, {"limit": 5, "starting_after": more.lines.data[8].id})
    assert [line.amount for line in note.lines.data] == list(range(1, 11))
    assert (len(more.lines.data), more.lines.has_more) == (10, True)
    assert [line.description for line in page.data] == ["9", "10", "11"]
    assert page.has_more is False


@pytest.mark.parametrize(
    "line",
    [
        {},
        {"amount": 500, "quantity": 1},
        {"amount": 1501},
        {"amount": -1},
        {"quantity": 2},
        {"quantity": 0},
        {"amount": 500, "unit_amount": 500},
    ],
)
def test_no_more_of_a_line_is_credited_than_it_has(client: stripe.StripeClient, line: dict[str, Any]) -> None:
    """Nor is it guessed how much is meant."""
    invoice = opened(client, customer(client), 1500)

    with refused(r"lines\[0\]|line item|quantity|unit_amount"):
        issue(client, invoice, lines=[of_line(invoice, **line)])

    assert client.v1.credit_notes.list().data == []
