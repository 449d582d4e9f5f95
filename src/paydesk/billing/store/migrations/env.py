"""What Alembic runs: our migrations, on the connection and under the prefix and schema that `migrate` hands over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic import context

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from paydesk.billing.store.tables import Tables

connection: Connection = context.config.attributes["connection"]
tables: Tables = context.config.attributes["tables"]
context.configure(
    connection=connection,
    target_metadata=tables.metadata,
    version_table=context.config.attributes["version_table"],
    version_table_schema=tables.schema,
)
context.run_migrations()
