"""One-time payments: customers, the order ledger, the mirror of payments, and the inbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alembic import context, op
from sqlalchemy import BigInteger, Boolean, Column, Integer, Text, UniqueConstraint, false, text

from paydesk.billing.store.columns import UtcDateTime, row_number, whole_object

if TYPE_CHECKING:
    from paydesk.billing.store.tables import Tables

revision = "0001"
down_revision = None

UNFINISHED = "state IN ('received', 'parked')"
WAITING = "state = 'waiting'"
OPEN = "state = 'open'"


def upgrade() -> None:
    tables: Tables = context.config.attributes["tables"]
    prefix = tables.prefix

    def create(name: str, *parts: Column[Any] | UniqueConstraint) -> None:
        op.create_table(f"{prefix}{name}", *parts, schema=tables.schema)

    def index(table: str, name: str, *columns: str, where: str | None = None) -> None:
        condition = text(where) if where else None
        op.create_index(
            f"ix_{prefix}{name}",
            f"{prefix}{table}",
            list(columns),
            schema=tables.schema,
            postgresql_where=condition,
            sqlite_where=condition,
        )

    create(
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
        UniqueConstraint("stripe_id", name=f"uq_{prefix}customers_stripe_id"),
        UniqueConstraint("user_id", name=f"uq_{prefix}customers_user_id"),
    )
    create(
        "orders",
        Column("id", Text, primary_key=True),
        Column("user_id", Text),
        Column("email", Text),
        Column("sku", Text, nullable=False),
        Column("quantity", Integer, nullable=False),
        Column("amount_minor", BigInteger, nullable=False),
        Column("currency", Text, nullable=False),
        Column("status", Text, nullable=False),
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
        UniqueConstraint("session_id", name=f"uq_{prefix}orders_session_id"),
    )
    index("orders", "orders_payment_intent_id", "payment_intent_id")
    index("orders", "orders_user_id", "user_id", "created_at")
    create(
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
    )
    index("payments", "payments_charge_id", "charge_id")
    index("payments", "payments_customer_id", "customer_id")
    index("payments", "payments_order_id", "order_id")
    create(
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
    )
    index("refunds", "refunds_order_id", "order_id")
    index("refunds", "refunds_payment_intent_id", "payment_intent_id")
    create(
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
    )
    index("disputes", "disputes_order_id", "order_id")
    index("disputes", "disputes_payment_intent_id", "payment_intent_id")
    create(
        "products",
        Column("id", Text, primary_key=True),
        Column("name", Text, nullable=False),
        Column("active", Boolean, nullable=False),
        Column("livemode", Boolean),
        Column("created_at", UtcDateTime, nullable=False),
        *_mirrored(),
    )
    create(
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
    )
    index("prices", "prices_lookup_key", "lookup_key")
    index("prices", "prices_product_id", "product_id")
    create(
        "events",
        Column("seq", row_number(), primary_key=True),
        Column("id", Text, nullable=False),
        Column("type", Text, nullable=False),
        Column("lane", Text, nullable=False),
        Column("object_id", Text),
        Column("object_type", Text),
        Column("livemode", Boolean, nullable=False),
        Column("api_version", Text),
        Column("created", BigInteger, nullable=False),
        Column("payload", Text, nullable=False),
        Column("state", Text, nullable=False),
        Column("attempts", Integer, nullable=False, server_default=text("0")),
        Column("next_at", UtcDateTime, nullable=False),
        Column("last_error", Text),
        Column("received_at", UtcDateTime, nullable=False),
        Column("applied_at", UtcDateTime),
        UniqueConstraint("id", name=f"uq_{prefix}events_id"),
    )
    index("events", "events_unfinished", "next_at", "lane", where=UNFINISHED)
    index("events", "events_unfinished_lane", "lane", where=UNFINISHED)
    create(
        "lanes",
        Column("lane", Text, primary_key=True),
        Column("due_at", UtcDateTime, nullable=False),
        Column("lease_owner", Text),
        Column("lease_token", BigInteger, nullable=False),
        Column("lease_expires_at", UtcDateTime),
        Column("failures", Integer, nullable=False, server_default=text("0")),
    )
    create(
        "facts",
        Column("seq", row_number(), primary_key=True),
        Column("key", Text, nullable=False),
        Column("type", Text, nullable=False),
        Column("lane", Text),
        Column("body", whole_object(), nullable=False),
        Column("event_id", Text),
        Column("created_at", UtcDateTime, nullable=False),
        UniqueConstraint("key", name=f"uq_{prefix}facts_key"),
    )
    create(
        "handlers",
        Column("name", Text, primary_key=True),
        Column("topic", Text, nullable=False),
        Column("seen_at", UtcDateTime, nullable=False),
    )
    index("handlers", "handlers_topic", "topic")
    create(
        "effects",
        Column("id", row_number(), primary_key=True),
        Column("source", Text, nullable=False),
        Column("handler", Text, nullable=False),
        Column("state", Text, nullable=False),
        Column("attempts", Integer, nullable=False, server_default=text("0")),
        Column("next_at", UtcDateTime, nullable=False),
        Column("last_error", Text),
        Column("created_at", UtcDateTime, nullable=False),
        Column("done_at", UtcDateTime),
        UniqueConstraint("source", "handler", name=f"uq_{prefix}effects_source_handler"),
    )
    index("effects", "effects_waiting", "next_at", where=WAITING)
    create(
        "attempts",
        Column("key", Text, primary_key=True),
        Column("verb", Text, nullable=False),
        Column("subject", Text, nullable=False),
        Column("params", whole_object(), nullable=False),
        Column("state", Text, nullable=False),
        Column("response_id", Text),
        Column("response", whole_object()),
        Column("error", Text),
        Column("created_at", UtcDateTime, nullable=False),
        Column("finished_at", UtcDateTime),
    )
    index("attempts", "attempts_open", "created_at", where=OPEN)
    index("attempts", "attempts_subject", "subject")


def _mirrored() -> tuple[Column[Any], ...]:
    return (
        Column("object", whole_object()),
        Column("seen_at", BigInteger),
        Column("payload_at", BigInteger),
        Column("deleted_at", UtcDateTime),
    )
