"""Two Django processes on one database: everything is told to both, one is killed in the middle, nothing is doubled."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

import httpx2
import pytest

from tests.conftest import ROOT
from tests.flarex import PAYS
from tests.reading_room import ReadingRoom, copies
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from paydesk.cli.demo.person import Page, Person
    from tests.conftest import LocalStripe

READERS = 6

# Longer than any lease, and than a handler may take; and longer than Stripe waits to tell it again.
LEASES_ARE_OVER_SECONDS = 180
TOLD_AGAIN_SECONDS = 3600


@pytest.fixture(params=["sqlite", "postgresql"])
def room(request: pytest.FixtureRequest, local_stripe: LocalStripe, tmp_path: Path) -> Iterator[ReadingRoom]:
    """Both processes, on an empty database."""
    database_url, name = f"sqlite:///{tmp_path / 'room.db'}", ""
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres_server")
        name = server.create()
        database_url = server.url(name)
    opened = ReadingRoom(ROOT, local_stripe, database_url, tmp_path / "log")
    opened.migrate()
    for url in opened.urls:
        opened.serve(url)
    yield opened
    opened.close()
    if name:
        server.drop(name)


def test_what_two_processes_hear_is_done_once_though_one_is_killed(room: ReadingRoom) -> None:
    """Every event comes to both; kill -9 while they work on it; whoever paid has their book, once."""
    readers = [room.reader(room.urls[number % 2]) for number in range(READERS)]
    pages = [buy(reader, room.urls[number % 2]) for number, reader in enumerate(readers)]

    def pay(number: int) -> None:
        # They are sent back to a process that may be dead by then, and have paid all the same.
        with suppress(httpx2.HTTPError):
            readers[number].send(pages[number], pages[number].forms[0], test_card=PAYS)

    with ThreadPoolExecutor(READERS) as pool:
        paying = [pool.submit(pay, number) for number in range(READERS)]
        until(lambda: room.rows(copies), "the first book on a shelf")
        room.kill_at(room.urls[0])
    for paid in paying:
        paid.result()
    room.pass_time(LEASES_ARE_OVER_SECONDS)
    room.serve(room.urls[0])
    room.controls.push(TOLD_AGAIN_SECONDS)
    room.settle()

    assert {reader.name: room.copies_of(reader.name) for reader in readers} == {
        reader.name: ["yours"] for reader in readers
    }
    assert {row["status"] for row in room.rows(room.tables.orders)} == {"paid"}
    assert len(room.rows(room.tables.effects, state="done")) == READERS


def buy(reader: Person, url: str) -> Page:
    """From the home page's button to Stripe's."""
    home = reader.visit(url)
    return reader.send(home, home.form(sku="ebook"))
