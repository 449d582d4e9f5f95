"""`manage.py check`: every mistake at once, each with what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.test import override_settings
from sqlalchemy import text

from paydesk.django import desk
from paydesk.django.gates import require
from tests.django.databases import connected_to, sqlite_at

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def found(*, databases: list[str] | None = None, **changes: Any) -> list[str]:
    """The ids of what is wrong with the project so changed."""
    with override_settings(**changes):
        return [f"{message.id}" for message in run_checks(databases=databases) if f"{message.id}".startswith("paydesk")]


@pytest.mark.usefixtures("database", "secrets")
def test_a_project_that_is_set_up_has_nothing_to_fix() -> None:
    """Neither warnings nor errors."""
    assert found(databases=["default"]) == []


def test_without_secrets_it_is_said_and_nothing_is_stopped(database: dict[str, Any]) -> None:
    """A build that migrates and collects static files has no Secrets."""
    assert found(PAYDESK={}) == ["paydesk.W001"]


def bad(**changes: Any) -> dict[str, Any]:
    said = {"STRIPE_SECRET_KEY": "sk_test_1", "STRIPE_WEBHOOK_SECRET": "whsec_1", "BASE_URL": "https://shop.example"}
    return {"PAYDESK": {**said, **changes}}


@pytest.fixture
def somewhere(tmp_path: Path) -> Iterator[None]:
    """A database that nobody looks into."""
    with connected_to(sqlite_at(tmp_path / "unused.db")):
        yield


@pytest.mark.usefixtures("somewhere")
@pytest.mark.parametrize(
    ("changes", "ids"),
    [
        (bad(STRIPE_SECRET_KEY="pk_test_1", BASE_URL=""), ["E001", "E001"]),
        (bad(SECRET_KEY="sk_test_1"), ["E001"]),
        (bad(DATABASE="elsewhere"), ["E001"]),
        ({"PAYDESK": "sk_test_1"}, ["E001"]),
        (bad(CATALOG="nowhere.toml"), ["E002"]),
        (bad(OWNER="tests.django.nowhere.owner_of"), ["E003"]),
        (bad(OWNER=7), ["E003"]),
        ({**bad(), "ROOT_URLCONF": ()}, ["W002"]),
        ({**bad(), "MIDDLEWARE": []}, ["W003"]),
        ({**bad(OWNER=lambda _request: None), "MIDDLEWARE": []}, []),
    ],
)
def test_each_mistake_is_found(changes: dict[str, Any], ids: list[str]) -> None:
    """Whatever else is right or wrong."""
    assert [name.removeprefix("paydesk.") for name in found(**changes)] == ids


@pytest.mark.usefixtures("database", "secrets")
def test_a_gate_that_nobody_could_pass_is_found() -> None:
    """A misspelt code, before a customer meets it."""
    require("exprot")
    from paydesk.django.gates import required

    try:
        assert found() == ["paydesk.E004"]
    finally:
        required.discard("exprot")


def test_tables_that_django_takes_to_be_there_and_are_not_are_found(tmp_path: Path, secrets: dict[str, Any]) -> None:
    """Another prefix, half a backup. Nothing is said before `migrate`, which would be told of its own task."""
    with connected_to(sqlite_at(tmp_path / "new.db")):
        before, unasked = found(databases=["default"]), found()
        call_command("migrate", verbosity=0)
        after = found(databases=["default"])
        with desk.store.write() as connection:
            connection.execute(text("UPDATE paydesk_paydesk_alembic_version SET version_num = '0001'"))
        behind = found(databases=["default"])
        elsewhere = found(databases=["default"], PAYDESK={**secrets, "TABLE_PREFIX": "other_"})

    assert (before, unasked, after, behind, elsewhere) == ([], [], [], ["paydesk.E005"], ["paydesk.E005"])
