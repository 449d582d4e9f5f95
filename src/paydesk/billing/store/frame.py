"""What every table is made in: the prefix and the schema of the app's choosing."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Index, MetaData, Table, UniqueConstraint


class Frame:
    """Makes tables, and what is named after them, under one prefix and in one schema."""

    def __init__(self, prefix: str, schema: str | None) -> None:
        self.prefix = prefix
        self.metadata = MetaData(schema=schema)

    def table(self, name: str, *parts: Column[Any] | Index | UniqueConstraint) -> Table:
        return Table(f"{self.prefix}{name}", self.metadata, *parts)

    def index(self, name: str, *columns: str, **options: Any) -> Index:
        return Index(f"ix_{self.prefix}{name}", *columns, **options)

    def unique(self, name: str, *columns: str) -> UniqueConstraint:
        return UniqueConstraint(*columns, name=f"uq_{self.prefix}{name}")
