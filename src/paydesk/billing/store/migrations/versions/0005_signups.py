"""Sign-ups: who is about to subscribe to what, and the page at Stripe where they do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic import context, op
from sqlalchemy import BigInteger, Boolean, Column, Integer, Text, UniqueConstraint, text

from paydesk.billing.store.columns import UtcDateTime, whole_object

if TYPE_CHECKING:
    from paydesk.billing.store.tables import Tables

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    tables: Tables = context.config.attributes["tables"]
    prefix, schema = tables.prefix, tables.schema
    op.create_table(
        f"{prefix}signups",
        Column("id", Text, primary_key=True),
        Column("user_id", Text, nullable=False),
        Column("slot", Text, nullable=False),
        Column("plan", Text, nullable=False),
        Column("seats", Integer, nullable=False),
        Column("billed_every", Text, nullable=False),
        Column("price_id", Text, nullable=False),
        Column("trial_days", Integer),
        Column("promotion_codes", Boolean, nullable=False),
        Column("customer_id", Text, nullable=False),
        Column("status", Text, nullable=False),
        Column("session_id", Text),
        Column("session_url", Text),
        Column("subscription_id", Text),
        Column("livemode", Boolean, nullable=False),
        Column("expires_at", UtcDateTime),
        Column("created_at", UtcDateTime, nullable=False),
        Column("updated_at", UtcDateTime, nullable=False),
        Column("object", whole_object()),
        Column("seen_at", BigInteger),
        Column("payload_at", BigInteger),
        Column("deleted_at", UtcDateTime),
        UniqueConstraint("session_id", name=f"uq_{prefix}signups_session_id"),
        schema=schema,
    )
    is_open = text("status = 'open'")
    op.create_index(
        f"ix_{prefix}signups_open",
        f"{prefix}signups",
        ["user_id", "slot", "livemode"],
        schema=schema,
        unique=True,
        postgresql_where=is_open,
        sqlite_where=is_open,
    )
    op.create_index(f"ix_{prefix}signups_user_id", f"{prefix}signups", ["user_id", "created_at"], schema=schema)
