"""Products, as Stripe lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from paydesk.billing.mirror.mirrored import Mirrored, Writing, always, moment

if TYPE_CHECKING:
    from paydesk.billing.facts import Fact
    from paydesk.billing.mirror.refs import Json


def apply(writing: Writing, product: Json) -> list[Fact]:
    row = {
        "id": product["id"],
        "name": product["name"],
        "active": product["active"],
        "livemode": product.get("livemode"),
        "created_at": moment(product["created"]),
    }
    writing.put(writing.tables.products, row, product)
    return []


PRODUCTS = Mirrored(
    type="product",
    path="/v1/products/{}",
    apply=apply,
    table=lambda tables: tables.products,
    is_whole=always,
    is_deletable=True,
)
