"""The desk, the database it shares with the app, and what happens when somebody has paid."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import sqlalchemy
from sqlalchemy import delete
from sqlalchemy.orm import Session, sessionmaker
from starlette.concurrency import run_in_threadpool

from newsletter.models import Base, Book, Notice, Reader, write_first_letters
from paydesk import Catalog, OrderPaid, OrderRefunded, Paydesk, SubscriptionEnded, SubscriptionStarted

T = TypeVar("T")

desk = Paydesk(name="Letters", catalog=Catalog.load(Path(__file__).parent.parent / "paydesk.toml"))

# The desk's database, by connections of the app's own.
sessions = sessionmaker(sqlalchemy.create_engine(desk.store.engine.url), expire_on_commit=False)


async def in_session(work: Callable[[Session], T]) -> T:
    """Do something with the database, in a thread: the event loop goes on with other requests."""

    def run() -> T:
        with sessions.begin() as db:
            return work(db)

    return await run_in_threadpool(run)


def prepare() -> None:
    """Make the app's tables, and something to read."""
    with sessions.begin() as db:
        Base.metadata.create_all(db.connection())
        write_first_letters(db)


@desk.on(OrderPaid)
def hand_over(paid: OrderPaid, db: Session) -> None:
    """A book for whoever bought the archive; once, on the transaction that says it is done."""
    if paid.order.user_id is not None:
        db.merge(Book(reader_id=int(paid.order.user_id), order_id=paid.order.id))


@desk.on(OrderRefunded)
def take_back(refunded: OrderRefunded, db: Session) -> None:
    """Money back, book back."""
    if refunded.is_full:
        db.execute(delete(Book).where(Book.order_id == refunded.order.id))


@desk.on(SubscriptionStarted)
def welcome(started: SubscriptionStarted, db: Session) -> None:
    """Since when somebody is a member stands beside their name."""
    reader = db.get(Reader, int(started.subscription.user_id or 0))
    if reader is not None:
        reader.member_since = started.subscription.current_period_start


@desk.on(SubscriptionEnded)
def say_goodbye(ended: SubscriptionEnded, db: Session) -> None:
    """And goes when they go."""
    reader = db.get(Reader, int(ended.subscription.user_id or 0))
    if reader is not None:
        reader.member_since = None


@desk.on(SubscriptionStarted)
async def tell_the_author(started: SubscriptionStarted) -> None:
    """The outside world: after a crash this may run again, and its key keeps it from being told twice."""
    notice = Notice(key=started.idempotency_key, text=f"A new {started.subscription.plan}!")
    await in_session(lambda db: db.merge(notice))
