"""Connections to PostgreSQL: a server that is gone is noticed."""

from __future__ import annotations

import pytest

from paydesk.billing.store.engine import KEEPALIVES, create_engine
from tests.postgres import Server


def test_a_connection_notices_within_half_a_minute_that_its_server_is_gone(postgres_server: Server) -> None:
    """The kernel is told to ask; otherwise a silent peer would hold webhooks for a quarter of an hour."""
    engine = create_engine(postgres_server.url())
    with engine.connect() as connection:
        known = connection.connection.driver_connection.info.get_parameters()  # type: ignore[union-attr]

    assert {name: known[name] for name in KEEPALIVES} == KEEPALIVES
    engine.dispose()


def test_the_apps_own_url_has_the_last_word(postgres_server: Server) -> None:
    """Who tuned their connections keeps what they chose."""
    engine = create_engine(f"{postgres_server.url()}?keepalives_idle=60")
    with engine.connect() as connection:
        known = connection.connection.driver_connection.info.get_parameters()  # type: ignore[union-attr]

    assert known["keepalives_idle"] == "60"
    engine.dispose()


@pytest.mark.parametrize(
    ("url", "hosts", "ports", "looks_for"),
    [
        ("postgresql://ada:p%40ss@one:5433,two:5434/shop", "one,two", "5433,5434", "read-write"),
        ("postgresql://ada:p%40ss@one,two/shop?connect_timeout=2", "one,two", ",", "read-write"),
        ("postgresql://ada:p%40ss@one,two/shop?target_session_attrs=any", "one,two", ",", "any"),
        ("postgresql+psycopg://ada:p%40ss@/shop?host=one:5433&host=two:5434", "one,two", "5433,5434", None),
        ("postgresql://ada:p%40ss@one/shop", "one", None, None),
    ],
)
def test_several_servers_are_named_as_postgresql_names_them(
    url: str, hosts: str, ports: str | None, looks_for: str | None
) -> None:
    """Of several, the driver looks for the one that takes writes, unless it was told what to look for."""
    engine = create_engine(url)

    _, options = engine.dialect.create_connect_args(engine.url)

    assert (options["host"], options.get("port"), options.get("target_session_attrs")) == (hosts, ports, looks_for)
    assert (options["user"], options["password"], options["dbname"]) == ("ada", "p@ss", "shop")
    engine.dispose()
