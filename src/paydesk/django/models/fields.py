"""Columns of ours that Django would write in another way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils import timezone

from paydesk.billing.store.columns import as_text

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper


class MomentField(models.DateTimeField):  # type: ignore[type-arg]  # Django's own takes no subscript
    """A moment in time. On SQLite ours are text of one width, in UTC: what is compared with them is written so too."""

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        if not prepared:
            value = self.get_prep_value(value)
        if value is None or connection.vendor != "sqlite":
            return super().get_db_prep_value(value, connection, prepared=True)
        if timezone.is_naive(value):
            value = timezone.make_aware(value, timezone.get_default_timezone())
        return as_text(value)


def link(to: str, related_name: str) -> models.ForeignKey[Any, Any]:
    """A link to another mirrored row, which may not have arrived yet: the column's value is there in any case."""
    return models.ForeignKey(
        to, models.DO_NOTHING, null=True, db_constraint=False, db_index=False, related_name=related_name
    )
