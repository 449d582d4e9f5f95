"""Reports: what the last look at the whole mirror found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic import context, op
from sqlalchemy import Column, Integer, Text, text

from paydesk.billing.store.columns import UtcDateTime, whole_object

if TYPE_CHECKING:
    from paydesk.billing.store.tables import Tables

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    tables: Tables = context.config.attributes["tables"]
    op.create_table(
        f"{tables.prefix}reports",
        Column("name", Text, primary_key=True),
        Column("state", Text, nullable=False),
        Column("began_at", UtcDateTime, nullable=False),
        Column("seen_at", UtcDateTime, nullable=False),
        Column("finished_at", UtcDateTime),
        Column("step", Text),
        Column("looked_at", Integer, nullable=False, server_default=text("0")),
        Column("found", Integer, nullable=False, server_default=text("0")),
        Column("body", whole_object()),
        Column("error", Text),
        schema=tables.schema,
    )
