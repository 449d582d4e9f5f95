"""Readers, letters, replies and books: the app's own tables, beside paydesk's in the same database."""

from __future__ import annotations

import secrets
from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship


class Base(DeclarativeBase):
    """All tables of the app."""


class Reader(Base):
    """Somebody with an address. Who has the token is signed in."""

    __tablename__ = "readers"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    token: Mapped[str] = mapped_column(unique=True, default=lambda: secrets.token_urlsafe(24))
    member_since: Mapped[datetime | None]
    book: Mapped[Book | None] = relationship(back_populates="reader", lazy="selectin")


class Letter(Base):
    """What the author wrote."""

    __tablename__ = "letters"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    text: Mapped[str]
    is_free: Mapped[bool] = mapped_column(default=False)
    replies: Mapped[list[Reply]] = relationship(order_by="Reply.id", lazy="selectin")


class Reply(Base):
    """What a patron wrote back."""

    __tablename__ = "replies"

    id: Mapped[int] = mapped_column(primary_key=True)
    letter_id: Mapped[int] = mapped_column(ForeignKey(Letter.id))
    reader_id: Mapped[int] = mapped_column(ForeignKey(Reader.id))
    text: Mapped[str]


class Book(Base):
    """A reader's copy of the archive, and the order it was for."""

    __tablename__ = "books"

    reader_id: Mapped[int] = mapped_column(ForeignKey(Reader.id), primary_key=True)
    order_id: Mapped[str] = mapped_column(unique=True)
    reader: Mapped[Reader] = relationship(back_populates="book")


class Notice(Base):
    """What the author is told. The key keeps what is told twice from being read twice."""

    __tablename__ = "notices"

    key: Mapped[str] = mapped_column(primary_key=True)
    text: Mapped[str]


def write_first_letters(db: Session) -> None:
    """A newsletter begins with something to read."""
    if db.query(Letter).first() is None:
        db.add_all(
            [
                Letter(
                    title="Why letters",
                    text="A letter waits until you have time for it. Nothing else on a screen does.",
                    is_free=True,
                ),
                Letter(
                    title="On keeping accounts",
                    text="Write down what you owe before you pay it. The rest is arithmetic.",
                ),
                Letter(title="On being interrupted", text="Whoever stops half-way must find out where they were."),
            ]
        )
