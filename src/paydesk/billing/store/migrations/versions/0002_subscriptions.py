"""Subscriptions: the mirror of subscriptions with their items, and of invoices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alembic import context, op
from sqlalchemy import BigInteger, Boolean, Column, Integer, Text, column, select, table, text

from paydesk.billing.store.columns import UtcDateTime, whole_object

if TYPE_CHECKING:
    from paydesk.billing.store.tables import Tables

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    tables: Tables = context.config.attributes["tables"]
    prefix = tables.prefix

    def create(name: str, *parts: Column[Any]) -> None:
        op.create_table(f"{prefix}{name}", *parts, schema=tables.schema)

    def index(table_name: str, name: str, *columns: str) -> None:
        op.create_index(f"ix_{prefix}{name}", f"{prefix}{table_name}", list(columns), schema=tables.schema)

    create(
        "subscriptions",
        Column("id", Text, primary_key=True),
        Column("user_id", Text),
        Column("customer_id", Text),
        Column("slot", Text, nullable=False),
        Column("plan", Text),
        Column("status", Text, nullable=False),
        Column("seats", Integer, nullable=False),
        Column("price_id", Text),
        Column("amount_minor", BigInteger),
        Column("currency", Text),
        Column("billed_every", Text),
        Column("current_period_start", UtcDateTime),
        Column("current_period_end", UtcDateTime),
        Column("trial_ends_at", UtcDateTime),
        Column("cancels_at", UtcDateTime),
        Column("past_due_since", UtcDateTime),
        Column("ended_at", UtcDateTime),
        Column("latest_invoice_id", Text),
        Column("default_payment_method_id", Text),
        Column("turns", Integer, nullable=False, server_default=text("0")),
        Column("livemode", Boolean),
        Column("created_at", UtcDateTime, nullable=False),
        *_mirrored(),
    )
    index("subscriptions", "subscriptions_user_id", "user_id", "created_at")
    index("subscriptions", "subscriptions_customer_id", "customer_id")
    create(
        "subscription_items",
        Column("id", Text, primary_key=True),
        Column("subscription_id", Text, nullable=False),
        Column("plan", Text),
        Column("price_id", Text),
        Column("product_id", Text),
        Column("quantity", Integer),
        Column("current_period_start", UtcDateTime),
        Column("current_period_end", UtcDateTime),
        Column("object", whole_object()),
    )
    index("subscription_items", "subscription_items_subscription_id", "subscription_id")
    create(
        "invoices",
        Column("id", Text, primary_key=True),
        Column("user_id", Text),
        Column("customer_id", Text),
        Column("subscription_id", Text),
        Column("payment_intent_id", Text),
        Column("number", Text),
        Column("status", Text, nullable=False),
        Column("billing_reason", Text),
        Column("currency", Text, nullable=False),
        Column("total_minor", BigInteger, nullable=False),
        Column("amount_due_minor", BigInteger, nullable=False),
        Column("amount_paid_minor", BigInteger, nullable=False),
        Column("amount_remaining_minor", BigInteger, nullable=False),
        Column("attempt_count", Integer, nullable=False),
        Column("next_attempt_at", UtcDateTime),
        Column("period_start", UtcDateTime),
        Column("period_end", UtcDateTime),
        Column("due_at", UtcDateTime),
        Column("paid_at", UtcDateTime),
        Column("hosted_invoice_url", Text),
        Column("invoice_pdf", Text),
        Column("livemode", Boolean),
        Column("created_at", UtcDateTime, nullable=False),
        *_mirrored(),
    )
    index("invoices", "invoices_user_id", "user_id", "created_at")
    index("invoices", "invoices_customer_id", "customer_id")
    index("invoices", "invoices_subscription_id", "subscription_id")
    index("invoices", "invoices_payment_intent_id", "payment_intent_id")
    op.add_column(f"{prefix}payments", Column("invoice_id", Text), schema=tables.schema)
    index("payments", "payments_invoice_id", "invoice_id")
    op.add_column(f"{prefix}prices", Column("billed_every", Text), schema=tables.schema)
    _say_how_often_prices_are_charged(f"{prefix}prices", tables.schema)


def _say_how_often_prices_are_charged(name: str, schema: str | None) -> None:
    """Fill the new column of the prices that are there from the objects beside it."""
    prices = table(name, column("id"), column("object", whole_object()), column("billed_every"), schema=schema)
    connection = op.get_bind()
    for row in connection.execute(select(prices.c.id, prices.c.object)).all():
        recurring = (row.object or {}).get("recurring")
        if recurring:
            interval, count = recurring["interval"], recurring.get("interval_count") or 1
            every = interval if count == 1 else f"{count} {interval}s"
            connection.execute(prices.update().where(prices.c.id == row.id).values(billed_every=every))


def _mirrored() -> tuple[Column[Any], ...]:
    return (
        Column("object", whole_object()),
        Column("seen_at", BigInteger),
        Column("payload_at", BigInteger),
        Column("deleted_at", UtcDateTime),
    )
