"""Subscriptions: the latest time at Stripe that is known, by which days of grace run out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic import context, op
from sqlalchemy import Column

from paydesk.billing.store.columns import UtcDateTime

if TYPE_CHECKING:
    from paydesk.billing.store.tables import Tables

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    tables: Tables = context.config.attributes["tables"]
    heard_at: Column[object] = Column("heard_at", UtcDateTime)
    op.add_column(f"{tables.prefix}subscriptions", heard_at, schema=tables.schema)
