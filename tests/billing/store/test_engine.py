"""Connections to PostgreSQL: a server that is gone is noticed."""

from __future__ import annotations

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
