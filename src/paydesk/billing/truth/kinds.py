"""Kinds: what Stripe lists, and which rows of ours those lists answer for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, and_, or_, select

from paydesk.billing.mirror import MIRRORED, refunds
from paydesk.billing.mirror.ledger import order_of_payment
from paydesk.billing.mirror.mirrored import Mirrored, Writing
from paydesk.billing.mirror.refs import Json, Ref, id_of, ref_of

if TYPE_CHECKING:
    from sqlalchemy import RowMapping

    from paydesk.billing.facts import Fact
    from paydesk.billing.store.tables import Tables

_BY_TYPE = {mirrored.type: mirrored for mirrored in MIRRORED}


def _apply_refund(writing: Writing, refund: Json) -> list[Fact]:
    payment = id_of(refund.get("payment_intent")) or id_of(refund.get("charge"))
    refunds.apply(writing, refund, order_of_payment(writing, payment))
    return []


# They are written with their payment; here each is looked at on its own.
REFUNDS = Mirrored(
    type="refund",
    path="/v1/refunds/{}",
    apply=_apply_refund,
    table=lambda tables: tables.refunds,
)


def _all(_object: Json) -> bool:
    return True


@dataclass(frozen=True)
class Kind:
    """One of Stripe's lists. `name` is our table, or what people call it.

    `concerns` tells which of the listed objects are mirrored at all, `rows` which rows of the table are of this kind.
    """

    name: str
    mirrored: Mirrored
    path: str
    params: Mapping[str, Any] = field(default_factory=dict)
    concerns: Callable[[Json], bool] = _all
    rows: Callable[[Tables], ColumnElement[bool]] | None = None

    @property
    def expand(self) -> tuple[str, ...]:
        return tuple(f"data.{name}" for name in self.mirrored.expand)

    def ref(self, stripe_object: Json) -> Ref:
        """What is read to bring this object in line."""
        return ref_of(stripe_object) or Ref(self.mirrored.type, stripe_object["id"])

    def as_object(self, row: RowMapping) -> Json:
        """As much of the object as a row knows to say which lane it is in."""
        known = {
            "object": self.mirrored.type,
            "id": row[self.mirrored.key],
            "customer": row.get("customer_id"),
            "payment_intent": row.get("payment_intent_id"),
            "charge": row.get("charge_id"),
            "product": row.get("product_id"),
        }
        return row["object"] if isinstance(row["object"], dict) and "id" in row["object"] else known

    def of_mode(self, tables: Tables, *, livemode: bool) -> ColumnElement[bool]:
        """The rows that this key could know at all: test and live may share one database."""
        table = self.mirrored.table(tables)
        if "livemode" in table.c:
            mine = or_(table.c.livemode.is_(None), table.c.livemode == livemode)
        else:
            other = tables.payments.c.livemode == (not livemode)
            foreign = select(tables.payments.c.id).where(other)
            mine = or_(table.c.payment_intent_id.is_(None), table.c.payment_intent_id.not_in(foreign))
        return and_(mine, self.rows(tables)) if self.rows is not None else mine


def _is_ours(session: Json) -> bool:
    return any(key.startswith("paydesk_") for key in session.get("metadata") or {})


def _is_direct(charge: Json) -> bool:
    return charge.get("payment_intent") is None


# Parents first, as in the mirror.
KINDS = (
    Kind("products", _BY_TYPE["product"], "/v1/products"),
    Kind("prices", _BY_TYPE["price"], "/v1/prices"),
    Kind("customers", _BY_TYPE["customer"], "/v1/customers"),
    # Without a status, Stripe leaves out what is cancelled.
    Kind("subscriptions", _BY_TYPE["subscription"], "/v1/subscriptions", {"status": "all"}),
    Kind("invoices", _BY_TYPE["invoice"], "/v1/invoices"),
    Kind("orders", _BY_TYPE["checkout.session"], "/v1/checkout/sessions", concerns=_is_ours),
    Kind(
        "payments",
        _BY_TYPE["payment_intent"],
        "/v1/payment_intents",
        rows=lambda tables: or_(
            tables.payments.c.charge_id.is_(None), tables.payments.c.charge_id != tables.payments.c.id
        ),
    ),
    Kind(
        "charges",
        _BY_TYPE["charge"],
        "/v1/charges",
        concerns=_is_direct,
        rows=lambda tables: tables.payments.c.charge_id == tables.payments.c.id,
    ),
    Kind("refunds", REFUNDS, "/v1/refunds"),
    Kind("disputes", _BY_TYPE["dispute"], "/v1/disputes"),
)

NAMES = tuple(kind.name for kind in KINDS)
