"""Our tables in a Django project: made by `manage.py migrate`, read by the ORM, written by paydesk alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from alembic.script import ScriptDirectory
from django.apps import apps
from django.core.management import call_command
from django.db import models
from django.db.migrations.exceptions import IrreversibleError
from django.db.migrations.loader import MigrationLoader
from sqlalchemy import BigInteger, Boolean, Column, Integer, Text

from paydesk.billing.store import migrations as ours
from paydesk.billing.store.columns import UtcDateTime
from paydesk.billing.store.migrations import HEAD, revision_of
from paydesk.billing.store.tables import tables_of
from paydesk.django.models import Event, Order, Subscription, SubscriptionItem
from paydesk.django.models.fields import MomentField
from paydesk.django.models.mirrored import NotYours
from paydesk.django.steps import Move

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.billing.shop import Shop

# How a worker finds its way; nobody else has use for it.
MACHINERY = {"attempts", "handlers", "lanes", "reports", "sightings", "walks"}

KINDS: dict[type[Any], type[models.Field[Any, Any]]] = {
    UtcDateTime: MomentField,
    Boolean: models.BooleanField,
    BigInteger: models.BigIntegerField,
    Integer: models.IntegerField,
    Text: models.TextField,
}


def our_models() -> dict[str, type[models.Model]]:
    found = apps.get_app_config("paydesk").get_models()
    return {model._meta.db_table.removeprefix("paydesk_"): model for model in found}


def test_every_step_of_ours_is_one_of_djangos() -> None:
    """A new migration of paydesk's needs its Django migration of the same name, or `manage.py migrate` stops short."""
    scripts = [*ScriptDirectory(Path(ours.__file__).parent).walk_revisions()][::-1]

    loader = MigrationLoader(None)
    (leaf,) = loader.graph.leaf_nodes("paydesk")
    plan = [key for key in loader.graph.forwards_plan(leaf) if key[0] == "paydesk"]
    moves = [
        operation.revision
        for key in plan
        for operation in loader.get_migration(*key).operations
        if isinstance(operation, Move)
    ]

    assert moves == [script.revision for script in scripts]
    assert [name for _, name in plan] == [Path(script.path).stem for script in scripts]


def test_every_table_is_a_model_with_its_columns() -> None:
    """What the desk knows of a row, the ORM knows, under the same names and kinds."""
    tables = {name.removeprefix("paydesk_"): table for name, table in tables_of("paydesk_").metadata.tables.items()}

    assert set(our_models()) == set(tables) - MACHINERY
    for name, model in our_models().items():
        fields = {field.column: field for field in model._meta.concrete_fields}
        assert set(fields) == {column.name for column in tables[name].columns}, name
        for column in tables[name].columns:
            assert is_like(fields[column.name], column), f"{name}.{column.name}"


def is_like(field: Any, column: Column[Any]) -> bool:
    if field.primary_key != column.primary_key or (field.null != column.nullable and not field.is_relation):
        return False
    if field.is_relation or column.name == "object":
        return True
    kind = next((KINDS[each] for each in type(column.type).__mro__ if each in KINDS), models.JSONField)
    return isinstance(field, kind)


def test_a_migrated_database_is_where_the_desk_expects_it(shop: Shop) -> None:
    """`manage.py migrate` is all there is to type."""
    assert revision_of(shop.store) == HEAD


def test_migrating_again_does_nothing(database: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    """Every deployment may migrate."""
    call_command("migrate", no_color=True)

    assert "No migrations to apply." in capsys.readouterr().out


def test_django_sees_nothing_to_migrate(database: dict[str, Any]) -> None:
    """`makemigrations` in a project does not want to write a migration for our app."""
    call_command("makemigrations", "paydesk", check=True, dry_run=True, verbosity=0)


def test_tables_are_not_taken_back(database: dict[str, Any]) -> None:
    """`manage.py migrate paydesk zero` would forget who has paid."""
    with pytest.raises(IrreversibleError):
        call_command("migrate", "paydesk", "zero", verbosity=0)


def test_the_orm_reads_what_the_desk_wrote(shop: Shop) -> None:
    """Times are aware, amounts are integers, and both can be asked for."""
    order_id = shop.order(object={"id": "cs_1", "metadata": {"campaign": "spring"}})
    noon = datetime(2026, 11, 23, 12, tzinfo=UTC)

    order = Order.objects.get(user_id="ada")

    assert (order.pk, order.amount_minor, order.created_at, order.deleted_at) == (order_id, 1900, noon, None)
    assert order.created_at.utcoffset() == timedelta(0)
    assert order.object is not None
    assert order.object["metadata"] == {"campaign": "spring"}
    assert Order.objects.filter(object__metadata__campaign="spring").count() == 1


@pytest.mark.parametrize(
    ("lookup", "is_found"),
    [
        ({"created_at": datetime(2026, 11, 23, 12, tzinfo=UTC)}, True),
        ({"created_at__gt": datetime(2026, 11, 23, 11, 59, 59, 999_999, tzinfo=UTC)}, True),
        ({"created_at__gt": datetime(2026, 11, 23, 12, tzinfo=UTC)}, False),
        ({"created_at__lte": datetime(2026, 11, 23, 12, tzinfo=UTC)}, True),
        ({"created_at__range": (datetime(2026, 11, 23, tzinfo=UTC), datetime(2026, 11, 24, tzinfo=UTC))}, True),
        ({"created_at__year": 2026}, True),
        ({"created_at__year": 2025}, False),
    ],
)
def test_times_are_compared_as_times(shop: Shop, lookup: dict[str, Any], is_found: bool) -> None:
    """On SQLite ours are text: a time that is asked for is written in the same way."""
    shop.order()

    assert Order.objects.filter(**lookup).exists() is is_found


def test_rows_that_belong_together_are_joined(shop: Shop) -> None:
    """A link may lead to a row that is not here yet: the id is there all the same."""
    now = shop.clock()
    with shop.store.write() as store:
        tables = shop.store.tables
        item = {"id": "si_1", "subscription_id": "sub_1", "plan": "pro"}
        store.execute(tables.subscription_items.insert().values(**item))
    (lost,) = SubscriptionItem.objects.all()
    with pytest.raises(Subscription.DoesNotExist):
        _ = lost.subscription
    with shop.store.write() as store:
        row = {"id": "sub_1", "slot": "main", "status": "active", "seats": 1, "user_id": "ada", "created_at": now}
        store.execute(tables.subscriptions.insert().values(**row))

    assert lost.subscription_id == "sub_1"
    assert SubscriptionItem.objects.get(subscription__user_id="ada").plan == "pro"
    assert [each.id for each in Subscription.objects.get().items.all()] == ["si_1"]


def test_the_orm_writes_nothing(shop: Shop) -> None:
    """A mirror that the app could write would not be one."""
    shop.order()
    order = Order.objects.get()
    order.status = "paid"

    attempts: list[Callable[[], object]] = [
        order.save,
        order.delete,
        Order.objects.all().delete,
        lambda: Order.objects.update(status="paid"),
        lambda: Order.objects.create(id="ord_2"),
        lambda: Order.objects.bulk_create([Order(id="ord_2")]),
        lambda: Event.objects.get_or_create(id="evt_1"),
    ]
    for attempt in attempts:
        with pytest.raises(NotYours):
            attempt()

    assert [each.status for each in Order.objects.all()] == ["pending"]
