"""Walks: how far we have come through Stripe's lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic import context, op
from sqlalchemy import BigInteger, Column, Integer, Text, text

from paydesk.billing.store.columns import UtcDateTime

if TYPE_CHECKING:
    from paydesk.billing.store.tables import Tables

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    tables: Tables = context.config.attributes["tables"]
    op.create_table(
        f"{tables.prefix}walks",
        Column("name", Text, primary_key=True),
        Column("state", Text, nullable=False),
        Column("cursor", Text),
        Column("since", BigInteger),
        Column("until", BigInteger),
        Column("anchor_id", Text),
        Column("anchor_at", BigInteger),
        Column("newest_id", Text),
        Column("newest_at", BigInteger),
        Column("looked_at", Integer, nullable=False, server_default=text("0")),
        Column("found", Integer, nullable=False, server_default=text("0")),
        Column("finished_at", UtcDateTime),
        schema=tables.schema,
    )
    op.create_table(
        f"{tables.prefix}sightings",
        Column("walk", Text, primary_key=True),
        Column("id", Text, primary_key=True),
        schema=tables.schema,
    )
