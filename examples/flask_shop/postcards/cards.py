"""Cards and stamps: the app's own two tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, Integer, MetaData, String, Table, insert, select, update

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection
    from sqlalchemy.orm import Session

    Db = Connection | Session

metadata = MetaData()
drawers = Table(
    "drawers",
    metadata,
    Column("owner", String, primary_key=True),
    Column("stamps", Integer, nullable=False),
)
cards = Table(
    "cards",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("owner", String, nullable=False, index=True),
    Column("to", String, nullable=False),
    Column("text", String, nullable=False),
)


def stamps_of(db: Db, owner: str) -> int:
    """How many stamps somebody has."""
    return db.execute(select(drawers.c.stamps).where(drawers.c.owner == owner)).scalar() or 0


def give_stamps(db: Db, owner: str, number: int) -> None:
    """Put stamps into somebody's drawer, or take them out; it is never emptier than empty."""
    had = db.execute(select(drawers.c.stamps).where(drawers.c.owner == owner)).scalar()
    stamps = max(0, (had or 0) + number)
    if had is None:
        db.execute(insert(drawers).values(owner=owner, stamps=stamps))
    else:
        db.execute(update(drawers).where(drawers.c.owner == owner).values(stamps=stamps))


def use_stamp(db: Db, owner: str) -> bool:
    """Take one stamp, if there is one."""
    drawer = (drawers.c.owner == owner, drawers.c.stamps > 0)
    used = update(drawers).where(*drawer).values(stamps=drawers.c.stamps - 1)
    return db.execute(used.returning(drawers.c.stamps)).first() is not None


def keep(db: Db, owner: str, *, to: str, text: str) -> None:
    """Write a card down."""
    db.execute(insert(cards).values(owner=owner, to=to, text=text))


def of(db: Db, owner: str) -> Sequence[Any]:
    """Somebody's cards, the last one first."""
    return db.execute(select(cards).where(cards.c.owner == owner).order_by(cards.c.id.desc())).all()
