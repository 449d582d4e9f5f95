"""Databases for the Django tests: each a fresh copy of one that `manage.py migrate` prepared once."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management import call_command
from django.db import connections
from sqlalchemy import make_url

from paydesk.django import desk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.postgres import Server


def sqlite_at(path: Path) -> dict[str, Any]:
    """An entry of DATABASES for a file."""
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(path)}


def postgresql_at(url: str) -> dict[str, Any]:
    """An entry of DATABASES for a PostgreSQL database."""
    parts = make_url(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.database,
        "USER": parts.username,
        "PASSWORD": parts.password or "",
        "HOST": parts.host,
        "PORT": str(parts.port),
    }


def database_at(url: str) -> dict[str, Any]:
    """The entry of DATABASES for a database that has its URL."""
    return sqlite_at(Path(url.removeprefix("sqlite:///"))) if url.startswith("sqlite") else postgresql_at(url)


@contextmanager
def connected_to(database: dict[str, Any]) -> Iterator[None]:
    """Django's default database is this one until the block ends."""
    former = connections.settings["default"]
    connections.settings["default"] = connections.configure_settings({"default": database})["default"]
    _leave()
    try:
        yield
    finally:
        desk.close()
        _leave()
        connections.settings["default"] = former


def _leave() -> None:
    connections["default"].close()
    del connections["default"]


class SqliteFiles:
    """SQLite databases."""

    def __init__(self, folder: Path) -> None:
        self._template = folder / "template.db"
        with connected_to(sqlite_at(self._template)):
            call_command("migrate", verbosity=0)

    @contextmanager
    def fresh(self, folder: Path) -> Iterator[dict[str, Any]]:
        yield sqlite_at(Path(shutil.copy(self._template, folder / "django.db")))


class PostgresDatabases:
    """PostgreSQL databases."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._template = server.create()
        with connected_to(postgresql_at(server.url(self._template))):
            call_command("migrate", verbosity=0)

    @contextmanager
    def fresh(self, _folder: Path) -> Iterator[dict[str, Any]]:
        name = self._server.create(template=self._template)
        try:
            yield postgresql_at(self._server.url(name))
        finally:
            self._server.drop(name)

    def close(self) -> None:
        self._server.drop(self._template)
