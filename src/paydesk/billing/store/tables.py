"""Every table paydesk keeps in the app's database.

Mirrored tables carry the columns people query, and the whole Stripe object beside them. Amounts are integers in the
currency's smallest unit. A deleted object keeps its row, with `deleted_at` set, so that a late event cannot revive it.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, MetaData, Table, Text, UniqueConstraint, false, text

from paydesk.billing.store.columns import UtcDateTime, row_number, whole_object


class Tables:
    """The tables under a prefix and in a schema of the app's choosing.

    An app that runs Alembic itself can add `Tables(...).metadata` to its own target metadata.
    """

    def __init__(self, prefix: str = "", schema: str | None = None) -> None:
        self.prefix = prefix
        self.schema = schema
        self.metadata = MetaData(schema=schema)
        self.customers = self._customers()
        self.orders = self._orders()
        self.payments = self._payments()
        self.refunds = self._refunds()
        self.disputes = self._disputes()
        self.products = self._products()
        self.prices = self._prices()
        self.events = self._events()
        self.lanes = self._lanes()
        self.facts = self._facts()
        self.handlers = self._handlers()
        self.effects = self._effects()
        self.attempts = self._attempts()

    def _table(self, name: str, *parts: Column[Any] | Index | UniqueConstraint) -> Table:
        return Table(f"{self.prefix}{name}", self.metadata, *parts)

    def _index(self, name: str, *columns: str, **options: Any) -> Index:
        return Index(f"ix_{self.prefix}{name}", *columns, **options)

    def _unique(self, name: str, *columns: str) -> UniqueConstraint:
        return UniqueConstraint(*columns, name=f"uq_{self.prefix}{name}")

    def _customers(self) -> Table:
        """Who pays: the app's user and Stripe's customer, linked.

        A row with a `user_id` and no `stripe_id` is a claim: committed before Stripe is asked, so that two racers
        ask for the same customer. A row with no `user_id` is a customer we did not make.
        """
        return self._table(
            "customers",
            Column("id", row_number(), primary_key=True),
            Column("user_id", Text),
            Column("stripe_id", Text),
            Column("email", Text),
            Column("name", Text),
            Column("livemode", Boolean),
            *_mirrored(),
            Column("created_at", UtcDateTime, nullable=False),
            Column("updated_at", UtcDateTime, nullable=False),
            self._unique("customers_user_id", "user_id"),
            self._unique("customers_stripe_id", "stripe_id"),
        )

    def _orders(self) -> Table:
        """The ledger: one row per thing somebody set out to buy. `object` is its Checkout Session."""
        return self._table(
            "orders",
            Column("id", Text, primary_key=True),
            Column("user_id", Text),
            Column("email", Text),
            Column("sku", Text, nullable=False),
            Column("quantity", Integer, nullable=False),
            Column("amount_minor", BigInteger, nullable=False),
            Column("currency", Text, nullable=False),
            Column("status", Text, nullable=False),  # pending | paid | failed | expired | refunded
            Column("session_id", Text),
            Column("session_url", Text),
            Column("payment_intent_id", Text),
            Column("charge_id", Text),
            Column("customer_id", Text),
            Column("amount_refunded_minor", BigInteger, nullable=False, server_default=text("0")),
            Column("disputed", Boolean, nullable=False, server_default=false()),
            Column("livemode", Boolean),
            Column("expires_at", UtcDateTime),
            Column("paid_at", UtcDateTime),
            Column("created_at", UtcDateTime, nullable=False),
            Column("updated_at", UtcDateTime, nullable=False),
            *_mirrored(),
            self._unique("orders_session_id", "session_id"),
            self._index("orders_user_id", "user_id", "created_at"),
            self._index("orders_payment_intent_id", "payment_intent_id"),
        )

    def _payments(self) -> Table:
        """Money asked for: a payment intent with its latest charge (or a charge alone, where an app makes those)."""
        return self._table(
            "payments",
            Column("id", Text, primary_key=True),
            Column("order_id", Text),
            Column("charge_id", Text),
            Column("customer_id", Text),
            Column("status", Text, nullable=False),
            Column("amount_minor", BigInteger, nullable=False),
            Column("amount_received_minor", BigInteger, nullable=False),
            Column("amount_refunded_minor", BigInteger, nullable=False),
            Column("currency", Text, nullable=False),
            Column("failure_code", Text),
            Column("failure_message", Text),
            Column("livemode", Boolean),
            Column("created_at", UtcDateTime, nullable=False),
            *_mirrored(),
            self._index("payments_order_id", "order_id"),
            self._index("payments_charge_id", "charge_id"),
            self._index("payments_customer_id", "customer_id"),
        )

    def _refunds(self) -> Table:
        return self._table(
            "refunds",
            Column("id", Text, primary_key=True),
            Column("order_id", Text),
            Column("payment_intent_id", Text),
            Column("charge_id", Text),
            Column("status", Text, nullable=False),
            Column("amount_minor", BigInteger, nullable=False),
            Column("currency", Text, nullable=False),
            Column("reason", Text),
            Column("created_at", UtcDateTime, nullable=False),
            *_mirrored(),
            self._index("refunds_order_id", "order_id"),
            self._index("refunds_payment_intent_id", "payment_intent_id"),
        )

    def _disputes(self) -> Table:
        return self._table(
            "disputes",
            Column("id", Text, primary_key=True),
            Column("order_id", Text),
            Column("payment_intent_id", Text),
            Column("charge_id", Text),
            Column("status", Text, nullable=False),
            Column("amount_minor", BigInteger, nullable=False),
            Column("currency", Text, nullable=False),
            Column("reason", Text),
            Column("evidence_due_at", UtcDateTime),
            Column("livemode", Boolean),
            Column("created_at", UtcDateTime, nullable=False),
            *_mirrored(),
            self._index("disputes_order_id", "order_id"),
            self._index("disputes_payment_intent_id", "payment_intent_id"),
        )

    def _products(self) -> Table:
        return self._table(
            "products",
            Column("id", Text, primary_key=True),
            Column("name", Text, nullable=False),
            Column("active", Boolean, nullable=False),
            Column("livemode", Boolean),
            Column("created_at", UtcDateTime, nullable=False),
            *_mirrored(),
        )

    def _prices(self) -> Table:
        return self._table(
            "prices",
            Column("id", Text, primary_key=True),
            Column("product_id", Text, nullable=False),
            Column("lookup_key", Text),
            Column("active", Boolean, nullable=False),
            Column("type", Text, nullable=False),
            Column("currency", Text, nullable=False),
            Column("unit_amount_minor", BigInteger),
            Column("livemode", Boolean),
            Column("created_at", UtcDateTime, nullable=False),
            *_mirrored(),
            self._index("prices_lookup_key", "lookup_key"),
            self._index("prices_product_id", "product_id"),
        )

    def _events(self) -> Table:
        """The inbox: every event Stripe delivered, in order of arrival, kept before it is believed."""
        return self._table(
            "events",
            Column("seq", row_number(), primary_key=True),
            Column("id", Text, nullable=False),
            Column("type", Text, nullable=False),
            Column("lane", Text, nullable=False),
            Column("object_id", Text),
            Column("object_type", Text),
            Column("livemode", Boolean, nullable=False),
            Column("api_version", Text),
            Column("created", BigInteger, nullable=False),  # Stripe's stamp: whole seconds, many events share one
            Column("payload", Text, nullable=False),
            Column("state", Text, nullable=False),  # received | applied | parked | dead
            Column("attempts", Integer, nullable=False, server_default=text("0")),
            Column("next_at", UtcDateTime, nullable=False),
            Column("last_error", Text),
            Column("received_at", UtcDateTime, nullable=False),
            Column("applied_at", UtcDateTime),
            self._unique("events_id", "id"),
            # Only what is unfinished is ever looked for by lane or time, so only that is indexed.
            self._index(
                "events_unfinished",
                "next_at",
                "lane",
                postgresql_where=text("state IN ('received', 'parked')"),
                sqlite_where=text("state IN ('received', 'parked')"),
            ),
            self._index(
                "events_unfinished_lane",
                "lane",
                postgresql_where=text("state IN ('received', 'parked')"),
                sqlite_where=text("state IN ('received', 'parked')"),
            ),
        )

    def _lanes(self) -> Table:
        """Who may work on which lane. A lease expires; its token only grows, so a holder that overslept is found."""
        return self._table(
            "lanes",
            Column("lane", Text, primary_key=True),
            Column("due_at", UtcDateTime, nullable=False),
            Column("lease_owner", Text),
            Column("lease_token", BigInteger, nullable=False),
            Column("lease_expires_at", UtcDateTime),
            Column("failures", Integer, nullable=False, server_default=text("0")),
        )

    def _facts(self) -> Table:
        """What happened, named once: `key` is the fact's own name, such as `order.paid:ord_…`."""
        return self._table(
            "facts",
            Column("seq", row_number(), primary_key=True),
            Column("key", Text, nullable=False),
            Column("type", Text, nullable=False),
            Column("lane", Text),
            Column("body", whole_object(), nullable=False),
            Column("event_id", Text),
            Column("created_at", UtcDateTime, nullable=False),
            self._unique("facts_key", "key"),
        )

    def _handlers(self) -> Table:
        """Which handlers there are, in any process: whoever names a fact knows for whom, its own or not."""
        return self._table(
            "handlers",
            Column("name", Text, primary_key=True),
            Column("topic", Text, nullable=False),  # fact:<type> | event:<type>
            Column("seen_at", UtcDateTime, nullable=False),
            self._index("handlers_topic", "topic"),
        )

    def _effects(self) -> Table:
        """One row per (fact or event, handler): what the app still has to do, has done, or failed to do."""
        return self._table(
            "effects",
            Column("id", row_number(), primary_key=True),
            Column("source", Text, nullable=False),  # fact:<key> | event:<id>
            Column("handler", Text, nullable=False),
            Column("state", Text, nullable=False),  # waiting | done | dead
            Column("attempts", Integer, nullable=False, server_default=text("0")),
            Column("next_at", UtcDateTime, nullable=False),
            Column("last_error", Text),
            Column("created_at", UtcDateTime, nullable=False),
            Column("done_at", UtcDateTime),
            self._unique("effects_source_handler", "source", "handler"),
            self._index(
                "effects_waiting",
                "next_at",
                postgresql_where=text("state = 'waiting'"),
                sqlite_where=text("state = 'waiting'"),
            ),
        )

    def _attempts(self) -> Table:
        """Our own writes at Stripe, each with its idempotency key, committed before Stripe is called."""
        return self._table(
            "attempts",
            Column("key", Text, primary_key=True),
            Column("verb", Text, nullable=False),
            Column("subject", Text, nullable=False),
            Column("params", whole_object(), nullable=False),
            Column("state", Text, nullable=False),  # open | done | failed
            Column("response_id", Text),
            Column("response", whole_object()),
            Column("error", Text),
            Column("created_at", UtcDateTime, nullable=False),
            Column("finished_at", UtcDateTime),
            self._index("attempts_subject", "subject"),
            self._index(
                "attempts_open",
                "created_at",
                postgresql_where=text("state = 'open'"),
                sqlite_where=text("state = 'open'"),
            ),
        )


def _mirrored() -> tuple[Column[Any], ...]:
    """What every mirrored row has besides its own columns.

    `seen_at` is Stripe's own stamp (unix seconds) of the newest event the row is known to account for; `payload_at`
    is set where the row was written from an event's payload instead of a read, to that event's stamp.
    """
    return (
        Column("object", whole_object()),
        Column("seen_at", BigInteger),
        Column("payload_at", BigInteger),
        Column("deleted_at", UtcDateTime),
    )
