"""One sandbox inside one transaction: everything a resource may read, write or make known.

A document is read once and is then the same one for everybody in the transaction.
Writing it and telling the world are one call, so that the snapshot in an event is
exactly what was stored.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from paydesk.emulator.kernel import ids, links, timelines
from paydesk.emulator.kernel.document import Document, differences, from_text, to_text
from paydesk.emulator.kernel.errors import StripeError

if TYPE_CHECKING:
    from paydesk.emulator.kernel.agenda import Task
    from paydesk.emulator.kernel.kinds import Kind
    from paydesk.emulator.kernel.sandboxes import Sandbox
    from paydesk.emulator.kernel.timelines import Timeline

T = TypeVar("T")


class Cause(NamedTuple):
    """The request that makes things happen; both are null for what happens by itself."""

    request: str | None = None
    idempotency_key: str | None = None


# Stored objects hold one API version; endpoints with another get theirs when it is delivered.
Announce = Callable[["World", Document], None]


class World:
    """A sandbox, open for reading and writing until its transaction ends.

    It has two times. `wall` is what the clock on the sandbox's wall shows: payments, events and sessions are stamped
    with it. `now` is the time of billing: the same, until an object is read that lives on a test clock; from then on
    it is that clock's, and `schedule` plans in it. The first clock met is the one that counts.
    """

    def __init__(
        self,
        db: sqlite3.Connection,
        sandbox: Sandbox,
        *,
        kinds: dict[str, Kind],
        tasks: Mapping[str, Task],
        wall: int,
        base_url: str,
        api_version: str,
        announce: Announce,
        cause: Cause = Cause(),
        playing: Timeline | None = None,
    ) -> None:
        """`playing` is the timeline on which this happens by itself; None: a request or the sandbox's own time."""
        self.db = db
        self.sandbox = sandbox
        self.kinds = kinds
        self.wall = wall
        self.now = wall
        self._timeline: Timeline | None = None
        self.base_url = base_url
        self.api_version = api_version
        self.cause = cause
        # For those who wait for the commit: how many events were told, and when the first thing newly planned is due.
        self.events = 0
        self.planned: int | None = None
        self._announce = announce
        self._tasks = tasks
        self._playing = playing
        self._enter(playing)
        self._loaded: dict[tuple[str, str], Document] = {}
        self._held: list[tuple[str, dict[str, Any]]] | None = None

    @property
    def livemode(self) -> bool:
        return self.sandbox.livemode

    # Minting

    def mint(self, prefix: str, *, like: str | None = None) -> str:
        """A new identifier; `like` is the payment intent whose family it joins."""
        return ids.shaped(prefix, *self._next_id(), like=like)

    def characters(self, length: int) -> str:
        """Base62 characters nobody can guess: for secrets, fingerprints and codes."""
        return ids.characters(*self._next_id(), length)

    def _next_id(self) -> tuple[str, int]:
        """What the next identifier is made of: what happens by itself on a test clock counts for itself."""
        played = self._playing
        counter = self.sandbox.counter if played is None else played.counter
        counter.minted += 1
        return self.sandbox.seed if played is None else played.seed(self.sandbox), counter.minted

    # Reading

    def find(self, kind: str, identifier: str) -> Document | None:
        """The object, or None when there is none or it was deleted."""
        known = self._loaded.get((kind, identifier))
        if known is not None:
            return known
        row = self.db.execute(
            "SELECT seq, body, private FROM objects WHERE kind = ? AND id = ? AND sandbox = ? AND deleted = 0",
            (kind, identifier, self.sandbox.number),
        ).fetchone()
        return None if row is None else self._load(kind, *row)

    def get(self, kind: str, identifier: str, *, param: str | None = None) -> Document:
        """The object, or Stripe's refusal: 400 naming `param` when the id came as one, else 404."""
        found = self.find(kind, identifier)
        if found is None:
            raise self.no_such(kind, identifier, param=param)
        return found

    def ever(self, kind: str, identifier: str) -> Document:
        """The object, or what it was when it was deleted: for what was sold with it and lives on."""
        found = self.find(kind, identifier)
        if found is not None:
            return found
        row = self.db.execute(
            "SELECT body, private FROM objects WHERE kind = ? AND id = ? AND sandbox = ?",
            (kind, identifier, self.sandbox.number),
        ).fetchone()
        if row is None:
            raise self.no_such(kind, identifier)
        body, private = row
        return Document(from_text(body), from_text(private) if private else None)

    def text(self, kind: str, identifier: str) -> str | None:
        """The object as an answer shows it, straight from its row: what needs no look inside needs no decoding."""
        row = self.db.execute(
            "SELECT body FROM objects WHERE kind = ? AND id = ? AND sandbox = ? AND deleted = 0",
            (kind, identifier, self.sandbox.number),
        ).fetchone()
        return None if row is None else str(row[0])

    def was_deleted(self, kind: str, identifier: str) -> bool:
        """Whether there was such an object once."""
        row = self.db.execute(
            "SELECT deleted FROM objects WHERE kind = ? AND id = ? AND sandbox = ?",
            (kind, identifier, self.sandbox.number),
        ).fetchone()
        return row is not None and bool(row[0])

    def first(self, kind: str, field: str, value: str) -> Document | None:
        """The newest object whose indexed field has this value."""
        return next(iter(self.having(kind, field, value)), None)

    def having(self, kind: str, field: str, value: str) -> Iterable[Document]:
        """Objects whose indexed field has this value, newest first."""
        rows = self.db.execute(
            "SELECT o.seq, o.body, o.private, o.id FROM links l JOIN objects o ON o.seq = l.seq "
            "WHERE l.sandbox = ? AND l.kind = ? AND l.field = ? AND l.value = ? AND o.deleted = 0 ORDER BY l.seq DESC",
            (self.sandbox.number, kind, field, value),
        ).fetchall()
        for seq, body, private, identifier in rows:
            known = self._loaded.get((kind, identifier))
            yield known if known is not None else self._load(kind, seq, body, private)

    def no_such(self, kind: str, identifier: str, *, param: str | None = None) -> StripeError:
        """Stripe's refusal of an id it does not have, with its hints at what was probably meant."""
        described = self.kinds[kind]
        message = described.no_such(identifier)
        elsewhere = self.db.execute(
            "SELECT 1 FROM objects o JOIN sandboxes s ON s.number = o.sandbox "
            "WHERE o.kind = ? AND o.id = ? AND s.name = ? AND s.livemode != ? AND o.deleted = 0",
            (kind, identifier, self.sandbox.name, self.livemode),
        ).fetchone()
        if elsewhere is not None:
            there, here = ("test", "live") if self.livemode else ("live", "test")
            message += (
                f"; a similar object exists in {there} mode, but a {here} mode key was used to make this request."
            )
        elif re.search(r"^[\s'\"]|[\s'\"]$", identifier):
            message += ". Make sure you use the exact id without extra whitespace or quotes"
        return StripeError(
            message,
            status=404 if param is None else 400,
            code="resource_missing",
            param=described.missing_param if param is None else param,
        )

    # Writing

    def add(self, document: Document, event: str | None = None) -> Document:
        """Keep a new object, and tell of it."""
        self._check_may_write()
        kind = self.kinds[document["object"]]
        if not document.stored:
            document.stored = to_text(document)
        try:
            document.seq = self._insert(kind, document)
        except sqlite3.IntegrityError:
            # An id that was deleted may be taken again, where callers choose ids.
            self.db.execute(
                "DELETE FROM objects WHERE kind = ? AND id = ? AND sandbox = ? AND deleted = 1",
                (kind.name, document.id, self.sandbox.number),
            )
            document.seq = self._insert(kind, document)
        self._loaded[(kind.name, document.id)] = document
        links.keep(self.db, self.sandbox.number, kind, document)
        if event is not None:
            self.emit(event, document)
        return document

    def save(self, document: Document, event: str | None = None) -> dict[str, Any]:
        """Keep an object's changes; the event, if there is one to tell, carries what was before.

        Gives back those old values, as an event's `previous_attributes` shows them. Nothing public changed:
        no event.
        """
        self._check_may_write()
        kind = self.kinds[document["object"]]
        text = to_text(document)
        private = to_text(document.private) if document.private else None
        before: dict[str, Any] = from_text(document.stored) if text != document.stored else {}
        previous = differences(before, document) if before else {}
        self.db.execute("UPDATE objects SET body = ?, private = ? WHERE seq = ?", (text, private, document.seq))
        document.stored = text
        if previous:
            links.change(self.db, self.sandbox.number, kind, before, document, set(previous))
        if event is not None and previous:
            self.emit(event, document, previous)
        return previous

    def delete(self, document: Document, event: str | None = None) -> dict[str, Any]:
        """Forget an object; its id stays taken. Gives back the stub that Stripe answers."""
        self._check_may_write()
        self.db.execute("UPDATE objects SET deleted = 1 WHERE seq = ?", (document.seq,))
        links.drop(self.db, self.sandbox.number, document["object"], document.seq)
        self._loaded.pop((document["object"], document.id), None)
        if event is not None:
            self.emit(event, document)
        return {"id": document.id, "object": document["object"], "deleted": True}

    def emit(self, event: str, document: Document, previous: dict[str, Any] | None = None) -> None:
        """Tell of what happened to an object just written, with a snapshot of it as it is now."""
        snapshot: dict[str, Any] = {"object": document}
        if previous:
            snapshot["previous_attributes"] = previous
        if self._held is None:
            self._tell(event, snapshot)
        else:
            # What is told later shows the object as it is now.
            self._held.append((event, from_text(to_text(snapshot))))

    @contextmanager
    def telling(self, order: Sequence[str]) -> Iterator[None]:
        """Tell of what happens meanwhile when it is over, in this order of types; other events come last."""
        if self._held is not None:
            yield
            return
        held = self._held = []
        try:
            yield
        finally:
            self._held = None
            places = {event: place for place, event in enumerate(order)}
            for event, snapshot in sorted(held, key=lambda told: places.get(told[0], len(places))):
                self._tell(event, snapshot)

    def _tell(self, event: str, snapshot: dict[str, Any]) -> None:
        self.events += 1
        told = Document(
            {
                "id": self.mint("evt_"),
                "object": "event",
                "api_version": self.api_version,
                "created": self.wall,
                "data": snapshot,
                "livemode": self.livemode,
                "pending_webhooks": 0,
                "request": {"id": self.cause.request, "idempotency_key": self.cause.idempotency_key},
                "type": event,
            }
        )
        self._announce(self, told)

    # Time

    @property
    def clock(self) -> str | None:
        """The test clock in whose time this is; None: the sandbox's own."""
        return None if self._timeline is None else self._timeline.clock

    def enter(self, clock: str) -> None:
        """Go on in the time of a test clock. Reading an object that lives on one does it too."""
        if self._timeline is None:
            self._enter(timelines.read(self.db, self.sandbox, clock))

    def schedule(self, due: int, task: str, subject: str, *, by_wall: bool = False) -> None:
        """Put a task on the agenda: `task` names what is to be done, `subject` the object's id.

        `due` is in billing's time, or `by_wall` in the sandbox's own, as payments are.
        """
        clock = None if by_wall else self.clock
        if clock is None:
            self._plan(due)
        elif due <= self.now:
            self.wake()
        self.db.execute(
            "INSERT INTO agenda (sandbox, clock, due, task, subject) VALUES (?, ?, ?, ?, ?)",
            (self.sandbox.number, clock, due, task, subject),
        )

    def unschedule(self, task: str | tuple[str, ...], subject: str) -> None:
        """Take a task, or several, off the agenda again."""
        tasks = (task,) if isinstance(task, str) else task
        marks = ", ".join("?" * len(tasks))
        self.db.execute(
            f"DELETE FROM agenda WHERE subject = ? AND task IN ({marks}) AND sandbox = ?",  # noqa: S608 - question marks
            (subject, *tasks, self.sandbox.number),
        )

    def wake(self) -> None:
        """See to it that what is due is looked for as soon as this transaction is over."""
        self._plan(self.wall)

    def perform(self, task: str, subject: str) -> None:
        """Do a task now, in this transaction: so what lies below can tell those above, without knowing who they are."""
        self._tasks[task](self, subject)

    def rehearse(self, work: Callable[[], T]) -> T:
        """What `work` would come to; nothing of it stays, not even the time it may set, and nothing is told.

        Documents that were read before are not to be used inside, nor those from inside changed afterwards.
        """
        before = (self.now, self._timeline, self._loaded, self._held, self.events, self.planned)
        self._loaded, self._held = {}, None
        self.db.execute("SAVEPOINT rehearsal")
        try:
            return work()
        finally:
            self.db.execute("ROLLBACK TO rehearsal")
            self.db.execute("RELEASE rehearsal")
            self.now, self._timeline, self._loaded, self._held, self.events, self.planned = before

    def undo(self) -> None:
        """Drop what was written in this transaction, and begin it anew for what is still to be kept."""
        self.db.execute("ROLLBACK TO unit")
        self._loaded.clear()
        self._enter(self._playing)
        if self._held is not None:
            self._held.clear()
        self.events = 0
        self.planned = None

    def _plan(self, due: int) -> None:
        self.planned = due if self.planned is None else min(due, self.planned)

    def _enter(self, timeline: Timeline | None) -> None:
        self._timeline = timeline
        self.now = self.wall if timeline is None else timeline.now

    def _check_may_write(self) -> None:
        timeline = self._timeline
        if timeline is not None and timeline.target is not None and self._playing is None:
            raise timelines.Underway(timeline.clock)

    def _insert(self, kind: Kind, document: Document) -> int:
        cursor = self.db.execute(
            "INSERT INTO objects (sandbox, kind, id, created, body, private) VALUES (?, ?, ?, ?, ?, ?)",
            (
                self.sandbox.number,
                kind.name,
                document.id,
                document.get("created", self.now),
                document.stored,
                to_text(document.private) if document.private else None,
            ),
        )
        return cursor.lastrowid or 0

    def _load(self, kind: str, seq: int, body: str, private: str | None) -> Document:
        document = Document(from_text(body), from_text(private) if private else None)
        document.seq, document.stored = seq, body
        self._loaded[(kind, document.id)] = document
        if document.get("test_clock") is not None:
            self.enter(document["test_clock"])
        return document
