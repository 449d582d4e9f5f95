"""Sandboxes: the worlds that keys open, each with its own clock and its own identifiers."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from paydesk.emulator.kernel import ids

if TYPE_CHECKING:
    import sqlite3

    from paydesk.emulator.kernel.clock import Now
    from paydesk.emulator.kernel.store import Store

# Identifiers are counted in memory and promised on disk a block ahead: a crash skips some, and repeats none.
PROMISED_BLOCK = 10_000
# More than any one request mints.
PROMISED_MARGIN = 2_000

# How what is in one sandbox comes into another.
_COPIES = (
    """INSERT INTO objects SELECT seq + :offset, :target, kind, id, created, deleted, body, private
    FROM objects WHERE sandbox = :source""",
    """INSERT INTO links SELECT :target, kind, field, value, seq + :offset FROM links WHERE sandbox = :source""",
    """INSERT INTO agenda (sandbox, due, task, subject, clock) SELECT :target, due, task, subject, clock
    FROM agenda WHERE sandbox = :source ORDER BY seq""",
    """INSERT INTO timelines SELECT :target, clock, now, target, minted, is_broken
    FROM timelines WHERE sandbox = :source""",
)


@dataclass
class Counter:
    """How many identifiers a sandbox minted, and how many the disk knows it may have."""

    minted: int
    promised: int


@dataclass(frozen=True)
class Sandbox:
    """What one key opens. Test and live keys of one name share an account and nothing else."""

    number: int
    name: str
    livemode: bool
    seed: str
    counter: Counter = field(compare=False, repr=False)

    @cached_property
    def account(self) -> str:
        """The account's id, the same for the test and the live sandbox of a name."""
        return "acct_1" + ids.characters(self.name, 0, 15)


class Sandboxes:
    """All sandboxes of one server."""

    def __init__(self, store: Store, now: Now, seed: str | None) -> None:
        """`seed` gives every sandbox the same ids each time it starts empty; None makes them its own."""
        self._store = store
        self._now = now
        self._seed = seed
        self._by_name: dict[tuple[str, bool], Sandbox] = {}
        self._by_number: dict[int, Sandbox] = {}
        self._ahead: dict[int, int] = {}

    def open(self, name: str, *, livemode: bool) -> Sandbox:
        """The sandbox of that name, made if it is new."""
        known = self._by_name.get((name, livemode))
        if known is not None:
            return known
        self._store.db.execute(
            "INSERT INTO sandboxes (name, livemode, seed) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            (name, livemode, self._seed_of(name, livemode=livemode)),
        )
        return self._read("name = ? AND livemode = ?", name, livemode)

    def numbered(self, number: int) -> Sandbox:
        """The sandbox with this number."""
        return self._by_number.get(number) or self._read("number = ?", number)

    def holding(self, kind: str, identifier: str) -> Sandbox | None:
        """The sandbox an object lives in: how a hosted page, which has no key, finds its world."""
        row = self._store.db.execute(
            "SELECT sandbox FROM objects WHERE kind = ? AND id = ?", (kind, identifier)
        ).fetchone()
        return None if row is None else self.numbered(row[0])

    def now(self, sandbox: Sandbox) -> int:
        """The time in a sandbox, in seconds since 1970."""
        return int(self._now()) + self._ahead[sandbox.number]

    def unpushed_now(self) -> float:
        """The time outside all sandboxes, in seconds since 1970: what a receiver's own clock shows."""
        return self._now()

    def unpushed(self, sandbox: Sandbox, moment: int) -> int:
        """When the machine's clock shows what a sandbox's clock will show at that moment."""
        return moment - self._ahead[sandbox.number]

    def promise_ids(self, sandbox: Sandbox) -> None:
        """Make sure, before a transaction, that no identifier minted in it could be minted again after a crash."""
        counter = sandbox.counter
        if counter.minted + PROMISED_MARGIN > counter.promised:
            counter.promised = counter.minted + PROMISED_BLOCK
            self._store.db.execute(
                "UPDATE sandboxes SET minted = ? WHERE number = ?", (counter.promised, sandbox.number)
            )

    def set_clock(self, db: sqlite3.Connection, sandbox: Sandbox, now: int) -> None:
        """Make it this time in a sandbox, inside a transaction."""
        ahead = now - int(self._now())
        if ahead != self._ahead[sandbox.number]:
            db.execute("UPDATE sandboxes SET ahead = ? WHERE number = ?", (ahead, sandbox.number))
            self._ahead[sandbox.number] = ahead

    def empty(self, sandbox: Sandbox) -> None:
        """Forget everything in a sandbox, its clock and its ids too: its key opens it as if it were new."""
        with self._store.transaction() as db:
            db.execute(
                "DELETE FROM delivery_attempts WHERE delivery IN (SELECT seq FROM deliveries WHERE sandbox = ?)",
                (sandbox.number,),
            )
            tables = db.execute(
                "SELECT t.name FROM sqlite_master t JOIN pragma_table_info(t.name) c ON c.name = 'sandbox' "
                "WHERE t.type = 'table'"
            ).fetchall()
            for (table,) in tables:
                db.execute(f"DELETE FROM {table} WHERE sandbox = ?", (sandbox.number,))  # noqa: S608 - ours
            db.execute(
                "UPDATE sandboxes SET seed = ?, minted = 0, ahead = 0 WHERE number = ?",
                (self._seed_of(sandbox.name, livemode=sandbox.livemode), sandbox.number),
            )
        self._read("number = ?", sandbox.number)

    def copy(self, source: Sandbox, target: Sandbox) -> None:
        """Let an empty sandbox begin as another stands: with its objects, events, clock and plans."""
        with self._store.transaction() as db:
            (offset,) = db.execute("SELECT coalesce(max(seq), 0) FROM objects").fetchone()
            # Links lead to objects by their place in the order of all: the copies stand in the same order, behind.
            for statement in _COPIES:
                db.execute(statement, {"offset": offset, "source": source.number, "target": target.number})
            self.set_clock(db, target, self.now(source))

    def is_empty(self, sandbox: Sandbox) -> bool:
        """Whether nobody has made anything in it yet."""
        query = "SELECT 1 FROM objects WHERE sandbox = ? LIMIT 1"
        return self._store.db.execute(query, (sandbox.number,)).fetchone() is None

    def _seed_of(self, name: str, *, livemode: bool) -> str:
        return f"{self._seed}:{name}:{livemode}" if self._seed is not None else ids.new_seed()

    def reread_clock(self, sandbox: Sandbox) -> None:
        """After a rollback: it is as late as the disk says."""
        (self._ahead[sandbox.number],) = self._store.db.execute(
            "SELECT ahead FROM sandboxes WHERE number = ?", (sandbox.number,)
        ).fetchone()

    def _read(self, condition: str, *values: Any) -> Sandbox:
        number, name, livemode, seed, minted, ahead = self._store.db.execute(
            f"SELECT number, name, livemode, seed, minted, ahead FROM sandboxes WHERE {condition}",  # noqa: S608 - ours
            values,
        ).fetchone()
        found = Sandbox(number, name, bool(livemode), seed, Counter(minted, minted))
        self._by_name[(name, found.livemode)] = self._by_number[number] = found
        self._ahead[number] = ahead
        return found
