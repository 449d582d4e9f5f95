"""A shop for the inbox's tests: orders in its ledger, Stripe's objects about them, and deliveries of events."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr
from sqlalchemy import select, update

from paydesk.billing.catalog import Catalog
from paydesk.billing.inbox.handlers import Handlers
from paydesk.billing.inbox.inbox import Inbox
from paydesk.billing.inbox.signature import Signatures
from paydesk.billing.plans import PlanFinder
from tests.billing.inbox.deliveries import SECRET, event, sign

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Table

    from paydesk.billing.facts import Fact
    from paydesk.billing.inbox.receive import Receipt
    from paydesk.billing.store.store import Store
    from tests.billing.conftest import Clock
    from tests.billing.stand_in import StandIn

Json = dict[str, Any]
CREATED = 1795435200
_numbers = itertools.count(1)

CATALOG = Catalog.parse(
    """
Starter: $9/mo → STRIPE_PRICE_STARTER
[plans.pro]
name = "Pro"
price = ["$29/mo", "$290/yr"]
seats_max = 50
"""
)


class Shop:
    """One process of an app: its handlers, its inbox. Several shops on one store are several processes."""

    def __init__(
        self,
        store: Store,
        stripe: StandIn,
        clock: Clock,
        *,
        livemode: bool = False,
        chores: Sequence[Callable[[], object]] = (),
    ) -> None:
        self.store = store
        self.stripe = stripe
        self.clock = clock
        self.livemode = livemode
        self.handlers = Handlers()
        self.plans = PlanFinder(CATALOG.plans, {})
        self.inbox = Inbox(
            store,
            stripe.api(),
            self.handlers,
            Signatures([SecretStr(SECRET)]),
            self.plans,
            livemode=livemode,
            now=clock,
            chores=chores,
        )

    def on(self, topic: type[Fact] | str, function: Callable[..., Any]) -> None:
        self.handlers.add(topic, function)

    def deliver(self, kind: str, subject: Json, **changes: Any) -> Receipt:
        """Stripe sends a webhook about the object as it is given."""
        body = event(kind, subject, **({"livemode": self.livemode} | changes))
        return self.inbox.receive(body, sign(body, self.clock()))

    def work(self) -> None:
        self.inbox.drain()

    def order(self, **changes: Any) -> str:
        """An order that waits for its payment; its session is `cs_test_<number>` with the number of the order's id."""
        number = next(_numbers)
        row = {
            "id": f"ord_{number:024}",
            "user_id": "ada",
            "sku": "ebook",
            "quantity": 1,
            "amount_minor": 1900,
            "currency": "usd",
            "status": "pending",
            "session_id": f"cs_test_{number}",
            "created_at": self.clock(),
            "updated_at": self.clock(),
        } | changes
        with self.store.write() as connection:
            connection.execute(self.store.tables.orders.insert().values(**row))
        return str(row["id"])

    def rows(self, table: Table) -> list[Json]:
        with self.store.read() as connection:
            return [dict(row) for row in connection.execute(select(table).order_by(*table.primary_key)).mappings()]

    def row(self, table: Table, **where: Any) -> Json:
        (row,) = [row for row in self.rows(table) if all(row[name] == value for name, value in where.items())]
        return row

    def set(self, table: Table, **columns: Any) -> None:
        with self.store.write() as connection:
            connection.execute(update(table).values(**columns))

    def status(self, order_id: str) -> str:
        return str(self.row(self.store.tables.orders, id=order_id)["status"])

    def facts(self) -> list[str]:
        return [row["key"] for row in self.rows(self.store.tables.facts)]

    def event_states(self) -> list[str]:
        return [row["state"] for row in self.rows(self.store.tables.events)]

    def effect_states(self) -> list[str]:
        return [row["state"] for row in self.rows(self.store.tables.effects)]


def session(order_id: str, **changes: Any) -> Json:
    """A Checkout Session opened for the order, not yet paid."""
    return {
        "id": f"cs_test_{int(order_id[4:])}",
        "object": "checkout.session",
        "amount_total": 1900,
        "client_reference_id": order_id,
        "created": CREATED,
        "currency": "usd",
        "customer": None,
        "customer_details": None,
        "customer_email": None,
        "livemode": False,
        "metadata": {"paydesk_order": order_id},
        "mode": "payment",
        "payment_intent": None,
        "payment_status": "unpaid",
        "status": "open",
        "url": "http://pay.localhost/c/pay",
    } | changes


def paid_session(order_id: str, **changes: Any) -> Json:
    number = int(order_id[4:])
    paid = {
        "customer_details": {"email": "ada@example.com"},
        "payment_intent": f"pi_{number}",
        "payment_status": "paid",
        "status": "complete",
        "url": None,
    }
    return session(order_id, **(paid | changes))


def payment(order_id: str, *, refunds: list[Json] | None = None, **changes: Any) -> Json:
    """The succeeded payment intent of the order, expanded as the mirror asks for it."""
    number = int(order_id[4:])
    charge = {
        "id": f"ch_{number}",
        "object": "charge",
        "amount": 1900,
        "amount_captured": 1900,
        "amount_refunded": sum(refund["amount"] for refund in refunds or []),
        "created": CREATED,
        "currency": "usd",
        "payment_intent": f"pi_{number}",
        "refunds": {"object": "list", "data": refunds or [], "has_more": False},
        "status": "succeeded",
    }
    return {
        "id": f"pi_{number}",
        "object": "payment_intent",
        "amount": 1900,
        "amount_received": 1900,
        "created": CREATED,
        "currency": "usd",
        "customer": None,
        "last_payment_error": None,
        "latest_charge": charge,
        "livemode": False,
        "metadata": {"paydesk_order": order_id},
        "status": "succeeded",
    } | changes


def charge_of(order_id: str) -> Json:
    number = int(order_id[4:])
    return {"id": f"ch_{number}", "object": "charge", "payment_intent": f"pi_{number}"}


def refund(order_id: str, number: int, amount: int, status: str = "succeeded") -> Json:
    order_number = int(order_id[4:])
    return {
        "id": f"re_{order_number}_{number}",
        "object": "refund",
        "amount": amount,
        "charge": f"ch_{order_number}",
        "created": CREATED + number,
        "currency": "usd",
        "payment_intent": f"pi_{order_number}",
        "reason": None,
        "status": status,
    }


def dispute(order_id: str, status: str = "needs_response") -> Json:
    number = int(order_id[4:])
    return {
        "id": f"du_{number}",
        "object": "dispute",
        "amount": 1900,
        "charge": f"ch_{number}",
        "created": CREATED,
        "currency": "usd",
        "evidence_details": {"due_by": CREATED + 700_000},
        "livemode": False,
        "payment_intent": f"pi_{number}",
        "reason": "fraudulent",
        "status": status,
    }


def product(**changes: Any) -> Json:
    return {
        "id": "prod_1",
        "object": "product",
        "active": True,
        "created": CREATED,
        "livemode": False,
        "name": "E-book",
    } | changes


def price(**changes: Any) -> Json:
    return {
        "id": "price_1",
        "object": "price",
        "active": True,
        "created": CREATED,
        "currency": "usd",
        "livemode": False,
        "lookup_key": "ebook",
        "product": "prod_1",
        "type": "one_time",
        "unit_amount": 1900,
    } | changes


def customer(**changes: Any) -> Json:
    return {
        "id": "cus_1",
        "object": "customer",
        "created": CREATED,
        "email": "ada@example.com",
        "livemode": False,
        "metadata": {},
        "name": "Ada",
    } | changes
