"""Prices, as Stripe lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from paydesk.billing.mirror.mirrored import Mirrored, Writing, always, moment
from paydesk.billing.mirror.refs import id_of
from paydesk.billing.mirror.shapes import rhythm_of

if TYPE_CHECKING:
    from paydesk.billing.facts import Fact
    from paydesk.billing.mirror.refs import Json


def apply(writing: Writing, price: Json) -> list[Fact]:
    row = {
        "id": price["id"],
        "product_id": id_of(price["product"]),
        "lookup_key": price.get("lookup_key"),
        "active": price["active"],
        "type": price["type"],
        "currency": price["currency"],
        # Null for a price in fractions of a cent or one the customer chooses; the whole object has those.
        "unit_amount_minor": price.get("unit_amount"),
        "billed_every": str(rhythm) if (rhythm := rhythm_of(price)) else None,
        "livemode": price.get("livemode"),
        "created_at": moment(price["created"]),
    }
    writing.put(writing.tables.prices, row, price)
    return []


PRICES = Mirrored(
    type="price",
    path="/v1/prices/{}",
    apply=apply,
    table=lambda tables: tables.prices,
    is_whole=always,
    is_deletable=True,
)
