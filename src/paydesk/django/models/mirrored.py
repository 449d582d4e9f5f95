"""What all our models are: tables that paydesk makes and writes, and Django reads."""

from __future__ import annotations

from typing import Any, NoReturn, TypeVar

from django.db import models

from paydesk.django import wiring
from paydesk.django.models.fields import MomentField

M = TypeVar("M", bound=models.Model)


class NotYours(TypeError):
    """A row of the mirror was to be changed by the app."""

    def __init__(self) -> None:
        super().__init__(
            "Rows of paydesk's tables are what Stripe has, and written by paydesk alone. Use the desk's verbs "
            "(desk.refund, desk.subscription(user).cancel, …), and the row follows."
        )


class ReadOnlyQuerySet(models.QuerySet[M, M]):
    """Finds, and changes nothing."""

    def _refuse(self, *_arguments: Any, **_options: Any) -> NoReturn:
        raise NotYours

    create = bulk_create = bulk_update = update = delete = get_or_create = update_or_create = _refuse
    acreate = abulk_create = abulk_update = aupdate = adelete = aget_or_create = aupdate_or_create = _refuse


class ReadOnly(models.Model):
    """A row of ours."""

    objects = ReadOnlyQuerySet.as_manager()

    class Meta:
        abstract = True
        managed = False

    def save(self, *_arguments: Any, **_options: Any) -> NoReturn:
        raise NotYours

    def delete(self, *_arguments: Any, **_options: Any) -> NoReturn:
        raise NotYours


class Mirrored(ReadOnly):
    """A row that holds an object of Stripe's: the columns people query, and the whole `object` beside them."""

    object = models.JSONField(null=True)
    seen_at = models.BigIntegerField(null=True)
    payload_at = models.BigIntegerField(null=True)
    deleted_at = MomentField(null=True)

    class Meta(ReadOnly.Meta):
        abstract = True


def table(name: str) -> str:
    """The table's whole name in this project."""
    return f"{wiring.table_prefix()}{name}"


# Nobody may add, change or delete; who may "change" a row may have it read or tried again.
PERMISSIONS = ("view", "change")
