"""Steps: what a Django migration of ours consists of.

The tables are made by paydesk's own migrations, the same in every framework; Django's history says which of them a
database has had. Django keeps no columns of what it does not manage, only that the model is there.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import migrations, models

from paydesk.django import wiring
from paydesk.django.models.mirrored import PERMISSIONS, table

if TYPE_CHECKING:
    from django.apps.registry import Apps
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor


class Move(migrations.RunPython):
    """Bring the tables to a revision of paydesk's own migrations."""

    reduces_to_sql = False

    def __init__(self, revision: str) -> None:
        self.revision = revision
        super().__init__(partial(_move, revision), atomic=False)

    def deconstruct(self) -> Any:
        return "Move", [self.revision], {}

    def describe(self) -> str:
        return f"Bring paydesk's tables to revision {self.revision}"


def _move(revision: str, _apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    from paydesk.billing.store.migrations import migrate
    from paydesk.billing.store.store import Store
    from paydesk.django.database import url_of

    alias = schema_editor.connection.alias
    if alias != wiring.alias():
        return
    # On a connection of its own, in one transaction. If this process ends before Django has noted it, the next one
    # finds it done.
    store = Store.open(url_of(alias), prefix=wiring.table_prefix())
    try:
        migrate(store, revision)
    finally:
        store.close()


def model(name: str, table_name: str, ordering: str, *, number: str | None = None, **options: str) -> Any:
    """A model that Django reads and does not manage, by its key alone: the text `id`, or this number."""
    key: tuple[str, models.Field[Any, Any]] = (
        (number, models.BigAutoField(primary_key=True)) if number else ("id", models.TextField(primary_key=True))
    )
    kept = {"db_table": table(table_name), "default_permissions": PERMISSIONS, "ordering": (ordering,), **options}
    return migrations.CreateModel(name, fields=[key], options={**kept, "managed": False})
