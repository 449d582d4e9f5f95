"""Receiving: what is acknowledged is on disk, and what is not ours leaves no trace."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select, update

from paydesk.billing.inbox.group_commit import GroupCommit
from paydesk.billing.inbox.receive import BODY_BYTES_MAX, Receipt, Receiver
from paydesk.billing.inbox.signature import Signatures
from paydesk.errors import MalformedEvent, PayloadTooLarge, SignatureRefused, WrongMode
from tests.billing.inbox.deliveries import SECRET, event, sign
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from paydesk.billing.store.store import Store
    from tests.billing.conftest import Clock

PAYMENT = {"id": "pi_1", "object": "payment_intent"}


class Inbox:
    def __init__(self, store: Store, clock: Clock) -> None:
        self.woken = threading.Semaphore(0)
        self.store = store
        self.clock = clock
        self.commits = GroupCommit(store, self.woken.release)
        self.receiver = Receiver(Signatures([SecretStr(SECRET)]), self.commits, livemode=False, now=clock)

    def receive(self, body: bytes) -> Receipt:
        return self.receiver.receive(body, sign(body, self.clock()))

    def count(self) -> int:
        with self.store.read() as connection:
            return connection.scalar(select(func.count()).select_from(self.store.tables.events)) or 0

    def set(self, event_id: str, **columns: object) -> None:
        with self.store.write() as connection:
            connection.execute(
                update(self.store.tables.events).where(self.store.tables.events.c.id == event_id).values(**columns)
            )

    def row(self, event_id: str) -> dict[str, object]:
        with self.store.read() as connection:
            events = self.store.tables.events
            return dict(connection.execute(select(events).where(events.c.id == event_id)).mappings().one())


@pytest.fixture
def inbox(store: Store, clock: Clock) -> Iterator[Inbox]:
    made = Inbox(store, clock)
    yield made
    made.commits.close()


def test_a_received_event_is_on_disk(inbox: Inbox) -> None:
    """The whole event is kept as it came, with the columns the worker looks for."""
    body = event("payment_intent.succeeded", PAYMENT, event_id="evt_1")

    receipt = inbox.receive(body)

    assert receipt == Receipt("evt_1", is_duplicate=False)
    row = inbox.row("evt_1")
    assert row["payload"] == body.decode()
    assert (row["type"], row["lane"], row["object_id"], row["object_type"], row["state"], row["livemode"]) == (
        "payment_intent.succeeded",
        "pi_1",
        "pi_1",
        "payment_intent",
        "received",
        False,
    )
    assert row["received_at"] == row["next_at"] == inbox.clock()
    assert inbox.woken.acquire(timeout=5)


def test_p1_b4_c5_an_event_delivered_three_times_is_kept_once(inbox: Inbox) -> None:
    """Stripe delivers at least once; the second and third copy are answered, and change nothing."""
    body = event("payment_intent.succeeded", PAYMENT, event_id="evt_1")

    receipts = [inbox.receive(body) for _ in range(3)]

    assert [receipt.is_duplicate for receipt in receipts] == [False, True, True]
    assert inbox.count() == 1


@pytest.mark.parametrize("state", ["received", "parked", "dead"])
def test_y2_a_duplicate_of_an_unfinished_event_makes_it_due_again(inbox: Inbox, state: str) -> None:
    """Where another library found the row and did nothing, a resend from the dashboard revives the event."""
    body = event("payment_intent.succeeded", PAYMENT, event_id="evt_1")
    inbox.receive(body)
    inbox.set("evt_1", state=state, attempts=9)
    inbox.clock.advance(hours=1)

    inbox.receive(body)

    row = inbox.row("evt_1")
    assert (row["state"], row["attempts"], row["next_at"]) == ("received", 0, inbox.clock())


def test_a_duplicate_of_a_finished_event_leaves_it_finished(inbox: Inbox) -> None:
    """Nothing is done twice because Stripe says it twice."""
    body = event("payment_intent.succeeded", PAYMENT, event_id="evt_1")
    inbox.receive(body)
    inbox.set("evt_1", state="applied")

    inbox.receive(body)

    assert inbox.row("evt_1")["state"] == "applied"


def test_d4_what_is_not_signed_leaves_no_row(inbox: Inbox) -> None:
    """Anybody may post junk with a made-up signature; none of it reaches the disk."""
    body = event("payment_intent.succeeded", PAYMENT)

    with pytest.raises(SignatureRefused):
        inbox.receiver.receive(body, "t=1,v1=junk")
    with pytest.raises(SignatureRefused):
        inbox.receiver.receive(body, None)

    assert inbox.count() == 0


def test_a_body_that_is_too_large_is_refused_unread(inbox: Inbox) -> None:
    """Nobody can keep us busy hashing."""
    with pytest.raises(PayloadTooLarge):
        inbox.receiver.receive(b"x" * (BODY_BYTES_MAX + 1), "t=1,v1=junk")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"[" * 100_000,
        b'{"object": "event"}',
        b'{"object": "event", "data": {"object": []}}',
        b'{"object": "v2.core.event", "id": "evt_1", "type": "v1.charge.succeeded"}',
        event("charge.succeeded", {"id": 7, "object": "charge"}),
        event("charge.succeeded", PAYMENT, created="yesterday"),
        event("charge.succeeded", PAYMENT, livemode=None),
    ],
)
def test_a_signed_body_that_is_no_event_is_refused(inbox: Inbox, body: bytes) -> None:
    """A thin event, or anything else that was signed, gets an answer that says what to change."""
    with pytest.raises(MalformedEvent):
        inbox.receive(body)

    assert inbox.count() == 0


def test_a_live_event_is_refused_by_a_test_set_up(inbox: Inbox) -> None:
    """Test and live never mix: neither an order nor a row comes of it."""
    with pytest.raises(WrongMode):
        inbox.receive(event("payment_intent.succeeded", PAYMENT, livemode=True))

    assert inbox.count() == 0


def test_an_object_without_an_id_is_kept(inbox: Inbox) -> None:
    """The balance has none, and its events are kept like any other."""
    inbox.receive(event("balance.available", {"object": "balance", "available": []}, event_id="evt_1"))

    assert inbox.row("evt_1")["lane"] == "balance"


def test_deliveries_that_arrive_together_are_all_kept(inbox: Inbox) -> None:
    """Two hundred at once, each twice, from many threads and from an event loop: each is kept once."""
    bodies = [event("payment_intent.succeeded", PAYMENT, event_id=f"evt_{number}") for number in range(100)]
    headers = [sign(body, inbox.clock()) for body in bodies]

    async def receive_all() -> list[Receipt]:
        return list(await asyncio.gather(*map(inbox.receiver.receive_async, bodies, headers)))

    with ThreadPoolExecutor(16) as pool:
        in_loop = pool.submit(asyncio.run, receive_all())
        receipts = [*pool.map(inbox.receive, bodies), *in_loop.result()]

    assert sorted(receipt.event_id for receipt in receipts if not receipt.is_duplicate) == sorted(
        f"evt_{number}" for number in range(100)
    )
    assert inbox.count() == 100


def test_what_arrives_during_a_commit_shares_the_next(inbox: Inbox) -> None:
    """One flush to disk serves all who wait: a hundred deliveries that meet a slow commit cost two at most."""
    commits: list[None] = []
    together = GroupCommit(inbox.store, lambda: commits.append(None))
    receiver = Receiver(Signatures([SecretStr(SECRET)]), together, livemode=False, now=inbox.clock)
    bodies = [event("payment_intent.succeeded", PAYMENT, event_id=f"evt_{number}") for number in range(100)]
    are_waiting = threading.Event()

    async def receive_all() -> list[Receipt]:
        receiving = [asyncio.ensure_future(receiver.receive_async(body, sign(body, inbox.clock()))) for body in bodies]
        await asyncio.sleep(0)  # each has had its turn, and waits
        are_waiting.set()
        return list(await asyncio.gather(*receiving))

    with ThreadPoolExecutor(1) as pool:
        with inbox.store.write() as connection:
            # SQLite lets one write at a time; PostgreSQL has to be told.
            if inbox.store.is_postgresql:
                connection.exec_driver_sql(f"LOCK TABLE {inbox.store.tables.events.name} IN EXCLUSIVE MODE")
            receipts = pool.submit(asyncio.run, receive_all())
            assert are_waiting.wait(timeout=10)
        assert len(receipts.result(timeout=30)) == 100
    together.close()

    assert inbox.count() == 100
    assert len(commits) <= 2


def test_a_row_the_database_refuses_harms_only_its_own_sender(inbox: Inbox) -> None:
    """Deliveries share a transaction, but not each other's fate."""
    good = [event("payment_intent.succeeded", PAYMENT, event_id=f"evt_{number}") for number in range(20)]
    bad = event("payment_intent.succeeded", PAYMENT, event_id="evt_bad", created=2**70)

    with ThreadPoolExecutor(21) as pool:
        refused = pool.submit(inbox.receive, bad)
        receipts = list(pool.map(inbox.receive, good))

    assert not any(receipt.is_duplicate for receipt in receipts)
    assert refused.exception() is not None
    assert inbox.count() == 20


def test_t1_y1_an_event_that_could_not_be_kept_is_not_acknowledged(inbox: Inbox) -> None:
    """A failed commit reaches whoever would have answered 200, so that Stripe delivers again."""
    body = event("payment_intent.succeeded", PAYMENT, event_id="evt_1")
    with inbox.store.write() as connection:
        inbox.store.tables.events.drop(connection)

    with pytest.raises(Exception, match="events"):
        inbox.receive(body)

    with inbox.store.write() as connection:
        inbox.store.tables.events.create(connection)
    assert inbox.receive(body) == Receipt("evt_1", is_duplicate=False)


FORKED = """
import os, sys
from datetime import UTC, datetime
from pydantic import SecretStr
from paydesk.billing.inbox.group_commit import GroupCommit
from paydesk.billing.inbox.receive import Receiver
from paydesk.billing.inbox.signature import Signatures
from paydesk.billing.store.store import Store
from tests.billing.inbox.deliveries import SECRET, event, sign

commits = GroupCommit(Store.open(sys.argv[1]), lambda: None)
receiver = Receiver(Signatures([SecretStr(SECRET)]), commits, livemode=False, now=lambda: datetime.now(UTC))

def receive(event_id):
    body = event("balance.available", {"object": "balance"}, event_id=event_id)
    receiver.receive(body, sign(body, datetime.now(UTC)))

receive("evt_parent_before")
if child := os.fork():
    receive("evt_parent_after")
    commits.close()
    os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
receive("evt_child")
commits.close()
os._exit(0)
"""


def test_a_forked_process_keeps_what_it_receives(inbox: Inbox, database_url: str) -> None:
    """Servers load the app and fork; the thread that inserts stays behind in the parent, and each has its own."""
    paths = {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}

    forked = subprocess.run(
        [sys.executable, "-c", FORKED, database_url], check=False, timeout=60, env=os.environ | paths
    )

    assert forked.returncode == 0
    assert inbox.count() == 3
