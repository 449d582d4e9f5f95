"""Dead letters: found by an index of their own, however much has been done since."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic import context, op
from sqlalchemy import text

if TYPE_CHECKING:
    from paydesk.billing.store.tables import Tables

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    tables: Tables = context.config.attributes["tables"]
    prefix, schema = tables.prefix, tables.schema
    is_dead = text("state = 'dead'")
    for name, column in (("events", "seq"), ("effects", "id")):
        op.create_index(
            f"ix_{prefix}{name}_dead",
            f"{prefix}{name}",
            [column],
            schema=schema,
            postgresql_where=is_dead,
            sqlite_where=is_dead,
        )
