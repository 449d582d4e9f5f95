"""Usage: how much of something each user has used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic import context, op
from sqlalchemy import BigInteger, Boolean, Column, Text, UniqueConstraint

from paydesk.billing.store.columns import UtcDateTime

if TYPE_CHECKING:
    from paydesk.billing.store.tables import Tables

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    tables: Tables = context.config.attributes["tables"]
    prefix, schema = tables.prefix, tables.schema
    op.create_table(
        f"{prefix}usage",
        Column("id", Text, primary_key=True),
        Column("user_id", Text, nullable=False),
        Column("meter", Text, nullable=False),
        Column("quantity", BigInteger, nullable=False),
        Column("key", Text),
        Column("livemode", Boolean, nullable=False),
        Column("used_at", UtcDateTime, nullable=False),
        UniqueConstraint("meter", "user_id", "key", "livemode", name=f"uq_{prefix}usage_key"),
        schema=schema,
    )
    op.create_index(f"ix_{prefix}usage_user_id", f"{prefix}usage", ["user_id", "meter", "used_at"], schema=schema)
