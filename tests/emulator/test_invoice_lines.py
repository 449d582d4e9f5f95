"""Invoice lines: what a draft charges for, added, changed and removed."""

from __future__ import annotations

from typing import Any

import stripe

from tests.emulator.invoicing import customer, drafted, opened, refused


def test_lines_are_added_to_a_draft(client: stripe.StripeClient) -> None:
    """An amount, a price as it is or described, or an item that waited: each has its invoice item."""
    ada = customer(client)
    waiting = client.v1.invoice_items.create({"customer": ada.id, "amount": 100, "currency": "usd"})
    product = client.v1.products.create({"name": "Support"})
    price = client.v1.prices.create({"currency": "usd", "unit_amount": 2500, "product": product.id})
    draft = drafted(client, ada)

    edited = client.v1.invoices.add_lines(
        draft.id,
        {
            "invoice_metadata": {"batch": "7"},
            "lines": [
                {"amount": 1000, "description": "Set-up"},
                {"pricing": {"price": price.id}, "quantity": 3},
                {"price_data": {"currency": "usd", "product": product.id, "unit_amount": 50}, "quantity": 2},
                {"invoice_item": waiting.id},
            ],
        },
    )

    lines: Any = edited.lines.data
    assert [line.amount for line in lines] == [1000, 7500, 100, 100]
    assert [line.description for line in lines] == ["Set-up", "Support", "Support", None]
    assert [line.quantity for line in lines] == [1, 3, 2, 1]
    assert lines[1].pricing.price_details.to_dict() == {"price": price.id, "product": product.id}
    assert lines[3].parent.invoice_item_details.invoice_item == waiting.id
    assert (edited.subtotal, edited.total, edited.amount_due) == (8700, 8700, 8700)
    assert edited.to_dict()["metadata"] == {"batch": "7"}
    assert len(client.v1.invoice_items.list({"invoice": draft.id}).data) == 4


def test_lines_are_changed(client: stripe.StripeClient) -> None:
    """Alone or several at once; their invoice items follow."""
    draft = drafted(client, customer(client), 1000, 500)
    first, second = draft.lines.data

    client.v1.invoices.line_items.update(draft.id, first.id, {"amount": 700, "description": "Less"})
    edited = client.v1.invoices.update_lines(
        draft.id, {"lines": [{"id": second.id, "metadata": {"a": "1"}, "period": {"start": 10, "end": 20}}]}
    )

    one, two = edited.lines.data
    assert (one.id, one.amount, one.description) == (first.id, 700, "Less")
    assert (two.metadata.to_dict(), two.period.start, two.period.end) == ({"a": "1"}, 10, 20)
    assert edited.total == 1200
    item: Any = one.parent
    assert client.v1.invoice_items.retrieve(item.invoice_item_details.invoice_item).amount == 700


def test_lines_are_removed(client: stripe.StripeClient) -> None:
    """Deleted for good, or set free to wait for another invoice."""
    ada = customer(client)
    draft = drafted(client, ada, 1000, 500, 200)
    first, second, _ = draft.lines.data

    edited = client.v1.invoices.remove_lines(
        draft.id,
        {"lines": [{"id": first.id, "behavior": "delete"}, {"id": second.id, "behavior": "unassign"}]},
    )

    waiting = client.v1.invoice_items.list({"customer": ada.id, "pending": True}).data
    assert ([line.amount for line in edited.lines.data], edited.total) == ([200], 200)
    assert [item.amount for item in waiting] == [500]


def test_an_invoice_shows_its_first_ten_lines(client: stripe.StripeClient) -> None:
    """The rest is paged through."""
    draft = drafted(client, customer(client), *range(100, 112))

    whole = list(client.v1.invoices.line_items.list(draft.id, {"limit": 5}).auto_paging_iter())

    assert (len(draft.lines.data), draft.lines.has_more) == (10, True)
    assert [line.amount for line in whole] == list(range(100, 112))
    back = client.v1.invoices.line_items.list(draft.id, {"limit": 2, "ending_before": whole[4].id})
    assert ([line.amount for line in back.data], back.has_more) == ([102, 103], True)


def test_what_is_finalized_keeps_its_lines(client: stripe.StripeClient) -> None:
    """None is added, changed or removed."""
    ada = customer(client)
    invoice = opened(client, ada, 1000)
    line = invoice.lines.data[0]
    item: Any = line.parent

    with refused("no longer editable") as refusal:
        client.v1.invoices.add_lines(invoice.id, {"lines": [{"amount": 100}]})
    assert refusal.value.code == "invoice_not_editable"
    with refused("no longer editable"):
        client.v1.invoices.line_items.update(invoice.id, line.id, {"amount": 1})
    with refused("no longer editable"):
        client.v1.invoice_items.delete(item.invoice_item_details.invoice_item)
    with refused("no longer editable"):
        client.v1.invoice_items.create({"customer": ada.id, "invoice": invoice.id, "amount": 1, "currency": "usd"})


def test_a_lines_price_can_be_looked_into(client: stripe.StripeClient) -> None:
    """An amount has a price too: Stripe makes one, archived."""
    draft = drafted(client, customer(client), 1000)

    lines = client.v1.invoices.line_items.list(draft.id, {"expand": ["data.pricing.price_details.price"]})

    price: Any = lines.data[0].pricing
    assert price.price_details.price.unit_amount == 1000
    assert price.price_details.price.active is False
