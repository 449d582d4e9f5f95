"""The desk's own connections to Django's database: where Django goes, and as whom."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import make_url, text

from paydesk import ConfigurationError
from paydesk.billing.store.listen import listening
from paydesk.billing.store.store import Store
from paydesk.django.database import url_of
from tests.django.databases import connected_to, postgresql_at

if TYPE_CHECKING:
    from tests.postgres import Server

SQLITE = "django.db.backends.sqlite3"
POSTGRESQL = "django.db.backends.postgresql"


@pytest.mark.parametrize(
    ("database", "expected"),
    [
        ({"ENGINE": SQLITE, "NAME": "/srv/shop.db"}, {"database": "/srv/shop.db"}),
        ({"ENGINE": SQLITE, "NAME": "file:m?mode=memory&cache=shared"}, {"database": "file:m", "mode": "memory"}),
        ({"ENGINE": POSTGRESQL, "NAME": "shop"}, {"database": "shop", "host": None, "port": None}),
        (
            {"ENGINE": POSTGRESQL, "NAME": "shop", "USER": "ada", "PASSWORD": "p@s/w:d%", "HOST": "db", "PORT": "5433"},
            {"database": "shop", "username": "ada", "password": "p@s/w:d%", "host": "db", "port": 5433},
        ),
        ({"ENGINE": POSTGRESQL, "NAME": "shop", "HOST": "/run/postgresql"}, {"host": "/run/postgresql"}),
        (
            {"ENGINE": POSTGRESQL, "NAME": "shop", "OPTIONS": {"sslmode": "require", "connect_timeout": 5}},
            {"sslmode": "require", "connect_timeout": "5"},
        ),
        ({"ENGINE": POSTGRESQL, "NAME": "", "OPTIONS": {"service": "shop"}}, {"database": None, "service": "shop"}),
        ({"ENGINE": POSTGRESQL, "NAME": "shop", "OPTIONS": {"assume_role": "till"}}, {"options": "-c role=till"}),
    ],
)
def test_what_django_is_told_the_desk_is_told(database: dict[str, Any], expected: dict[str, Any]) -> None:
    """Every way to name a database, with passwords that have everything in them."""
    with connected_to(database):
        url = make_url(url_of("default"))

    parts = {"database": url.database, "username": url.username, "password": url.password, "host": url.host}
    known = {**parts, "port": url.port, **url.query}
    assert {name: known.get(name) for name in expected} == expected


def test_a_database_we_do_not_know_is_refused() -> None:
    """With the way out."""
    with connected_to({"ENGINE": "django.db.backends.dummy", "NAME": "shop"}), pytest.raises(ConfigurationError):
        url_of("default")


def test_the_desk_is_whom_django_is(postgres_server: Server) -> None:
    """Credentials may be lent, and the tables somebody else's: each connection takes the role, the listener's too."""
    role, name = f"till_{secrets.token_hex(4)}", postgres_server.create()
    admin = Store.open(postgres_server.url(name))
    with admin.write() as connection:
        connection.execute(text(f"CREATE ROLE {role}"))
    admin.close()

    with connected_to({**postgresql_at(postgres_server.url(name)), "OPTIONS": {"assume_role": role}}):
        store = Store.open(url_of("default"))
        with store.read() as connection:
            whom = connection.scalar(text("SELECT current_user"))
        with listening(store) as heard:
            with store.write() as connection:
                store.notify(connection)
            is_heard = heard(10)
        store.close()
    postgres_server.drop(name)

    assert (whom, is_heard) == (role, True)
