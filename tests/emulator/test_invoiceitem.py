"""Invoice items: what waits for a customer's next invoice, or is put on a draft."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import stripe

from tests.emulator.invoicing import customer, drafted, opened, refused
from tests.emulator.paying import events


def test_an_item_waits_for_the_next_invoice(client: stripe.StripeClient) -> None:
    """With the customer, in the currency that is theirs from then on."""
    ada = customer(client)

    item = client.v1.invoice_items.create(
        {"customer": ada.id, "amount": 1250, "currency": "eur", "description": "Late fee", "metadata": {"a": "1"}}
    )

    assert (item.amount, item.currency, item.description, item.invoice) == (1250, "eur", "Late fee", None)
    assert (item.quantity, item.proration, item.discountable) == (1, False, True)
    assert (item.period.start, item.period.end) == (item.date, item.date)
    assert client.v1.customers.retrieve(ada.id).currency == "eur"
    with refused("You cannot combine currencies on a single customer"):
        client.v1.invoice_items.create({"customer": ada.id, "amount": 100, "currency": "usd"})
    assert events(client, "customer.updated") == ["invoiceitem.created"]


def test_an_item_can_have_a_price(client: stripe.StripeClient) -> None:
    """A one-time price and a quantity, or so much for each; then it is called what is sold."""
    ada = customer(client)
    product = client.v1.products.create({"name": "Support"})
    price = client.v1.prices.create({"currency": "usd", "unit_amount_decimal": Decimal("12.5"), "product": product.id})
    monthly = client.v1.prices.create(
        {"currency": "usd", "unit_amount": 900, "product": product.id, "recurring": {"interval": "month"}}
    )

    named = client.v1.invoice_items.create({"customer": ada.id, "pricing": {"price": price.id}, "quantity": 3})
    each: Any = client.v1.invoice_items.create(
        {"customer": ada.id, "unit_amount_decimal": Decimal("0.25"), "quantity": 1000, "currency": "usd"}
    )

    assert (named.amount, named.quantity, named.description) == (38, 3, "Support")
    assert (each.amount, str(each.pricing.unit_amount_decimal)) == (250, "0.25")
    with refused("only accepts prices with `type=one_time`"):
        client.v1.invoice_items.create({"customer": ada.id, "pricing": {"price": monthly.id}})
    client.v1.products.update(product.id, {"active": False})
    with refused("inactive"):
        client.v1.invoice_items.create({"customer": ada.id, "pricing": {"price": price.id}})
    with refused("You may only specify one of these parameters: amount, pricing."):
        client.v1.invoice_items.create({"customer": ada.id, "amount": 5, "pricing": {"price": price.id}})
    with refused("Missing required param: amount."):
        client.v1.invoice_items.create({"customer": ada.id})


def test_fractions_of_units_are_sold(client: stripe.StripeClient) -> None:
    """Two and a half hours at a price or a rate; the whole units are shown beside, and a line can be changed."""
    ada = customer(client)
    price = client.v1.prices.create({"currency": "usd", "unit_amount": 9999, "product_data": {"name": "Hours"}})
    draft = drafted(client, ada)
    at_price: Any = {"pricing": {"price": price.id}, "quantity_decimal": Decimal("2.50")}
    at_rate: Any = {"unit_amount_decimal": Decimal("0.5"), "quantity_decimal": Decimal("1000.001"), "currency": "usd"}

    hours, litres = (
        client.v1.invoice_items.create(given | {"customer": ada.id, "invoice": draft.id})
        for given in (at_price, at_rate)
    )
    shown = client.v1.invoices.retrieve(draft.id)
    client.v1.invoices.line_items.update(draft.id, shown.lines.data[0].id, {"quantity_decimal": Decimal("0.25")})

    changed = client.v1.invoice_items.retrieve(hours.id)
    assert (hours.amount, hours.quantity, str(hours.quantity_decimal)) == (24998, 2, "2.5")
    assert (litres.amount, litres.quantity, str(litres.quantity_decimal)) == (500, 1000, "1000.001")
    assert [str(line.quantity_decimal) for line in shown.lines.data] == ["2.5", "1000.001"]
    assert (changed.amount, changed.quantity) == (2500, 0)
    assert client.v1.invoices.retrieve(draft.id).total == 3000


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"quantity": 2, "quantity_decimal": "2"}, None),
        ({"quantity_decimal": "-1"}, "quantity_decimal"),
        ({"quantity_decimal": "0.0000000000001"}, "quantity_decimal"),
        ({"quantity_decimal": "1000000000000"}, "quantity_decimal"),
        ({"quantity_decimal": "many"}, "quantity_decimal"),
    ],
)
def test_a_quantity_is_a_number_of_units(client: stripe.StripeClient, given: Any, param: str | None) -> None:
    """Said once, not below zero, and not finer than it can be counted."""
    ada = customer(client)
    asked: Any = {"customer": ada.id, "currency": "usd", "unit_amount_decimal": "100", **given}

    with refused() as refusal:
        client.v1.invoice_items.create(asked)

    assert refusal.value.param == param
    assert client.v1.invoice_items.list().data == []


def test_fractions_of_packs_and_tiers_are_not_guessed(client: stripe.StripeClient) -> None:
    """It is said that they are not modelled."""
    ada = customer(client)
    packs = client.v1.prices.create(
        {
            "currency": "usd",
            "unit_amount": 900,
            "product_data": {"name": "Packs"},
            "transform_quantity": {"divide_by": 3, "round": "up"},
        }
    )

    with refused("does not model") as refusal:
        client.v1.invoice_items.create(
            {"customer": ada.id, "pricing": {"price": packs.id}, "quantity_decimal": Decimal("2.5")}
        )

    assert refusal.value.param == "quantity_decimal"


def test_an_item_is_put_on_a_draft(client: stripe.StripeClient) -> None:
    """Which is then worth more; both are told of."""
    ada = customer(client)
    draft = drafted(client, ada)

    item = client.v1.invoice_items.create({"customer": ada.id, "invoice": draft.id, "amount": 800, "currency": "usd"})

    after = client.v1.invoices.retrieve(draft.id)
    assert (item.invoice, after.total, after.amount_due) == (draft.id, 800, 800)
    assert events(client, "invoice.created") == ["invoiceitem.created", "invoice.updated"]


def test_an_item_can_be_changed_while_nobody_was_asked_to_pay_it(client: stripe.StripeClient) -> None:
    """The draft it is on follows; a new quantity counts at the old price."""
    ada = customer(client)
    product = client.v1.products.create({"name": "Support"})
    price = client.v1.prices.create({"currency": "usd", "unit_amount": 300, "product": product.id})
    draft = drafted(client, ada)
    item = client.v1.invoice_items.create({"customer": ada.id, "invoice": draft.id, "pricing": {"price": price.id}})

    more = client.v1.invoice_items.update(item.id, {"quantity": 4, "description": "Four of them"})
    total = client.v1.invoices.retrieve(draft.id).total
    client.v1.invoice_items.delete(item.id)

    assert (more.amount, more.quantity, more.description, total) == (1200, 4, "Four of them", 1200)
    assert client.v1.invoices.retrieve(draft.id).lines.data == []
    with refused("No such invoiceitem"):
        client.v1.invoice_items.retrieve(item.id)


def test_items_are_listed(client: stripe.StripeClient) -> None:
    """Of a customer, on an invoice, waiting or not."""
    ada, bob = customer(client), customer(client)
    invoice = opened(client, ada, 100)
    waiting = client.v1.invoice_items.create({"customer": ada.id, "amount": 5, "currency": "usd"})
    client.v1.invoice_items.create({"customer": bob.id, "amount": 6, "currency": "usd"})

    def amounts(**filters: Any) -> list[int]:
        asked: Any = filters
        return [item.amount for item in client.v1.invoice_items.list(asked).data]

    assert amounts() == [6, 5, 100]
    assert amounts(customer=ada.id, pending=True) == [waiting.amount]
    assert amounts(pending=False) == [100]
    assert amounts(invoice=invoice.id) == [100]
