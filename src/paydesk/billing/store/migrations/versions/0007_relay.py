"""The relay: which facts other services have been told of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic import context, op
from sqlalchemy import Column, text

from paydesk.billing.store.columns import UtcDateTime

if TYPE_CHECKING:
    from paydesk.billing.store.tables import Tables

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    tables: Tables = context.config.attributes["tables"]
    prefix, schema = tables.prefix, tables.schema
    op.add_column(f"{prefix}facts", Column("relayed_at", UtcDateTime), schema=schema)
    is_waiting = text("relayed_at IS NULL")
    op.create_index(
        f"ix_{prefix}facts_unrelayed",
        f"{prefix}facts",
        ["seq"],
        schema=schema,
        postgresql_where=is_waiting,
        sqlite_where=is_waiting,
    )
