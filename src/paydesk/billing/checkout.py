"""Selling something once: a pending order in the ledger, and a page at Stripe where it is paid.

The order and the promise to create its Checkout Session are committed
together before Stripe is asked, so a payment always finds the order it is
for. The price comes from the catalog and the addresses from BASE_URL: nothing
a browser sends is believed but what to buy and how many.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from paydesk.billing.facts import Order
from paydesk.billing.mirror.ledger import ORDER_KEY
from paydesk.errors import OrderNotFound, StripeRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import stripe
    from sqlalchemy import Connection

    from paydesk.billing.attempts import Attempt, Attempts
    from paydesk.billing.catalog import Catalog, Product
    from paydesk.billing.customers import Customers, Payer
    from paydesk.billing.prices import Prices
    from paydesk.billing.store.store import Store

# A user who asks for the same thing again within this time, with the first still unpaid, has clicked twice and
# gets the same page. Nobody fills in a card, pays and wants another this fast.
DOUBLE_CLICK = timedelta(seconds=10)


@dataclass(frozen=True)
class Checkout:
    """Where to send the customer (`url`, at Stripe), and the order that waits for the payment."""

    url: str
    order: Order


@dataclass(frozen=True)
class _Purchase:
    """What somebody wants, checked."""

    product: Product
    quantity: int
    user_id: str | None
    email: str | None

    @property
    def amount_minor(self) -> int:
        return self.product.price.amount_minor * self.quantity


class Checkouts:
    """The verb that sells a product."""

    def __init__(
        self,
        store: Store,
        attempts: Attempts,
        catalog: Catalog,
        prices: Prices,
        customers: Customers,
        *,
        base_url: str,
        livemode: bool,
        now: Callable[[], datetime],
        new_token: Callable[[], str] = lambda: secrets.token_urlsafe(18),
    ) -> None:
        self._store = store
        self._orders = store.tables.orders
        self._attempts = attempts
        self._catalog = catalog
        self._prices = prices
        self._customers = customers
        self._base_url = base_url
        self._livemode = livemode
        self._now = now
        self._new_token = new_token
        self.verb = CreateSession(store, now)

    def checkout(self, sku: str, user: Payer | None, quantity: int, email: str | None) -> Checkout:
        """A page at Stripe where `quantity` of `sku` can be paid.

        Raises UnknownProduct, QuantityRefused, UnknownPrice, PriceMismatch, StripeRefused or StripeUnavailable.
        """
        product = self._catalog.product(sku)
        purchase = _Purchase(
            product=product,
            quantity=product.checked_quantity(quantity),
            user_id=str(user.id) if user is not None else None,
            email=email if user is None else user.email,
        )
        try:
            return self._sell(purchase, user)
        except StripeRefused as refusal:
            if refusal.code != "resource_missing":
                raise
            # What we remembered is gone at Stripe: a customer deleted there, a sandbox that was emptied.
            self._prices.forget()
            return self._sell(purchase, user)

    def _sell(self, purchase: _Purchase, user: Payer | None) -> Checkout:
        price_id = self._prices.id_of(purchase.product.offer)
        customer_id = self._customers.stripe_id(user) if user is not None else None
        with self._store.write() as connection:
            order_id = self._double_clicked(connection, purchase) or self._new_order(connection, purchase, customer_id)
            if (ready := self._ready(connection, order_id)) is not None:
                return ready
            params = self._session_params(purchase, order_id, price_id, customer_id)
            attempt = self._attempts.open(connection, self.verb, order_id, params)
        with self._customers.asked_about(attempt.params.get("customer")):
            self._attempts.finish(attempt)
        with self._store.read() as connection:
            ready = self._ready(connection, order_id)
        if ready is None:
            raise OrderNotFound(order_id)
        return ready

    def _ready(self, connection: Connection, order_id: str) -> Checkout | None:
        """The order's page at Stripe, once there is one; ours that says how it is, if that one is closed already."""
        query = select(self._orders).where(self._orders.c.id == order_id)
        row = connection.execute(query).mappings().one_or_none()
        if row is None or row["session_id"] is None:
            return None
        closed = f"{self._base_url}/thanks?session_id={row['session_id']}"
        return Checkout(row["session_url"] or closed, Order.from_row({**row}))

    def _double_clicked(self, connection: Connection, purchase: _Purchase) -> str | None:
        """The order that a second click is about. A guest has no second click: nobody knows it is the same person."""
        if purchase.user_id is None:
            return None
        customers = self._store.tables.customers
        # Two clicks at once wait for each other here, so that the second sees the first one's order.
        connection.execute(
            self._store.locked(select(customers.c.id).where(customers.c.user_id == purchase.user_id))
        ).first()
        orders = self._orders
        same = select(orders.c.id).where(
            orders.c.user_id == purchase.user_id,
            orders.c.sku == purchase.product.code,
            orders.c.quantity == purchase.quantity,
            orders.c.amount_minor == purchase.amount_minor,
            orders.c.currency == purchase.product.price.currency,
            orders.c.livemode == self._livemode,
            orders.c.status == "pending",
            orders.c.created_at > self._now() - DOUBLE_CLICK,
        )
        newest = same.order_by(orders.c.created_at.desc()).limit(1)
        # Locked: the first click's attempt cannot be closed between our look for its page and for the attempt.
        return connection.execute(self._store.locked(newest)).scalar_one_or_none()

    def _new_order(self, connection: Connection, purchase: _Purchase, customer_id: str | None) -> str:
        order_id = f"ord_{self._new_token()}"
        now = self._now()
        connection.execute(
            self._orders.insert().values(
                id=order_id,
                user_id=purchase.user_id,
                email=purchase.email,
                sku=purchase.product.code,
                quantity=purchase.quantity,
                amount_minor=purchase.amount_minor,
                currency=purchase.product.price.currency,
                status="pending",
                customer_id=customer_id,
                livemode=self._livemode,
                created_at=now,
                updated_at=now,
            )
        )
        return order_id

    def _session_params(
        self, purchase: _Purchase, order_id: str, price_id: str, customer_id: str | None
    ) -> dict[str, Any]:
        metadata = {ORDER_KEY: order_id}
        params: dict[str, Any] = {
            "mode": "payment",
            "line_items": [{"price": price_id, "quantity": purchase.quantity}],
            "client_reference_id": order_id,
            "metadata": metadata,
            # A session's metadata is not passed on to its payment.
            "payment_intent_data": {"metadata": metadata},
            # Stripe fills in the id itself, and only if the braces arrive as they are.
            "success_url": f"{self._base_url}/thanks?session_id={{CHECKOUT_SESSION_ID}}",
            "cancel_url": f"{self._base_url}/pricing",
        }
        if customer_id is not None:
            params["customer"] = customer_id
        elif purchase.email:
            params["customer_email"] = purchase.email
        return params


class CreateSession:
    """The write that makes the Checkout Session of an order."""

    name = "checkout"
    doing = "to open the checkout"

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._orders = store.tables.orders
        self._now = now

    def ask(self, client: stripe.StripeClient, attempt: Attempt, options: stripe.RequestOptions) -> stripe.StripeObject:
        return client.v1.checkout.sessions.create(attempt.params, options)

    def apply(self, connection: Connection, attempt: Attempt, answer: Mapping[str, Any]) -> None:
        """Link the session. An answer repeated late is old news, so nothing the mirror has written is touched."""
        orders = self._orders
        linked = update(orders).where(orders.c.id == attempt.subject, orders.c.session_id.is_(None))
        connection.execute(
            linked.values(
                session_id=answer["id"],
                session_url=answer["url"],
                expires_at=datetime.fromtimestamp(answer["expires_at"], UTC),
                updated_at=self._now(),
            )
        )

    def give_up(self, connection: Connection, attempt: Attempt) -> None:
        """There is no page to pay on: the order failed before it began."""
        orders = self._orders
        pending = update(orders).where(
            orders.c.id == attempt.subject, orders.c.status == "pending", orders.c.session_id.is_(None)
        )
        connection.execute(pending.values(status="failed", updated_at=self._now()))
