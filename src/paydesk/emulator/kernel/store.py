"""Where sandboxes live: one SQLite file (or memory), one writer, one atomic unit of work a request.

SQLite's write-ahead log survives a killed process with every committed
transaction in it; `synchronous=NORMAL` gives up only what a power cut may take,
which is the right price for a test server.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

# The write-ahead log is folded into the file when nobody waits, or when it has grown to 160 MB.
CHECKPOINT_PAGES = 40_000

SCHEMA = """
CREATE TABLE IF NOT EXISTS sandboxes (
    number    INTEGER PRIMARY KEY,
    name      TEXT    NOT NULL,
    livemode  INTEGER NOT NULL,
    seed      TEXT    NOT NULL,
    minted    INTEGER NOT NULL DEFAULT 0,
    ahead     INTEGER NOT NULL DEFAULT 0,
    UNIQUE (name, livemode)
);
CREATE TABLE IF NOT EXISTS objects (
    seq       INTEGER PRIMARY KEY,
    sandbox   INTEGER NOT NULL,
    kind      TEXT    NOT NULL,
    id        TEXT    NOT NULL,
    created   INTEGER NOT NULL,
    deleted   INTEGER NOT NULL DEFAULT 0,
    body      TEXT    NOT NULL,
    private   TEXT
);
CREATE UNIQUE INDEX IF NOT EXISTS objects_by_id ON objects (kind, id, sandbox);
CREATE INDEX IF NOT EXISTS objects_by_age ON objects (sandbox, kind, deleted, seq);
CREATE TABLE IF NOT EXISTS links (
    sandbox   INTEGER NOT NULL,
    kind      TEXT    NOT NULL,
    field     TEXT    NOT NULL,
    value     TEXT    NOT NULL,
    seq       INTEGER NOT NULL,
    PRIMARY KEY (sandbox, kind, field, value, seq)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS idempotency (
    sandbox     INTEGER NOT NULL,
    key         TEXT    NOT NULL,
    path        TEXT    NOT NULL,
    fingerprint TEXT    NOT NULL,
    request     TEXT    NOT NULL,
    status      INTEGER NOT NULL,
    body        BLOB    NOT NULL,
    created     INTEGER NOT NULL,
    UNIQUE (sandbox, key)
);
CREATE TABLE IF NOT EXISTS agenda (
    seq       INTEGER PRIMARY KEY,
    sandbox   INTEGER NOT NULL,
    due       INTEGER NOT NULL,
    task      TEXT    NOT NULL,
    subject   TEXT    NOT NULL,
    clock     TEXT
);
CREATE INDEX IF NOT EXISTS agenda_by_time ON agenda (sandbox, clock, due, seq);
CREATE INDEX IF NOT EXISTS agenda_by_subject ON agenda (subject, task);
CREATE TABLE IF NOT EXISTS timelines (
    sandbox   INTEGER NOT NULL,
    clock     TEXT    NOT NULL,
    now       INTEGER NOT NULL,
    target    INTEGER,
    minted    INTEGER NOT NULL DEFAULT 0,
    is_broken INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (sandbox, clock)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS requests (
    seq         INTEGER PRIMARY KEY,
    sandbox     INTEGER NOT NULL,
    id          TEXT    NOT NULL,
    method      TEXT    NOT NULL,
    path        TEXT    NOT NULL,
    params      TEXT    NOT NULL,
    idempotency_key TEXT,
    version     TEXT    NOT NULL,
    status      INTEGER NOT NULL,
    answer      TEXT,
    created     INTEGER NOT NULL,
    duration_us INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS requests_by_sandbox ON requests (sandbox, seq);
CREATE TABLE IF NOT EXISTS deliveries (
    seq       INTEGER PRIMARY KEY,
    sandbox   INTEGER NOT NULL,
    event     TEXT    NOT NULL,
    endpoint  TEXT    NOT NULL,
    state     TEXT    NOT NULL,
    due       INTEGER NOT NULL,
    attempts  INTEGER NOT NULL DEFAULT 0,
    is_held    INTEGER NOT NULL DEFAULT 0,
    is_corrupt INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS deliveries_by_state ON deliveries (state, sandbox, due);
CREATE INDEX IF NOT EXISTS deliveries_by_event ON deliveries (event);
CREATE INDEX IF NOT EXISTS deliveries_held ON deliveries (endpoint) WHERE is_held = 1;
CREATE TABLE IF NOT EXISTS delivery_attempts (
    seq         INTEGER PRIMARY KEY,
    delivery    INTEGER NOT NULL,
    created     INTEGER NOT NULL,
    status      INTEGER,
    answer      TEXT    NOT NULL,
    duration_ms INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS delivery_attempts_by_delivery ON delivery_attempts (delivery, seq);
"""


class Store:
    """The database of one server."""

    def __init__(self, folder: Path | None) -> None:
        """`folder` is created when it is missing; None keeps everything in memory."""
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        path = ":memory:" if folder is None else str(folder / "local-stripe.db")
        self.db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=512)
        # One server per folder: a second one would serve stale clocks and keys, and is refused by SQLite itself.
        self.db.execute("PRAGMA locking_mode = EXCLUSIVE")
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        self.db.execute("PRAGMA synchronous = NORMAL")
        self.db.execute("PRAGMA temp_store = MEMORY")
        self.db.execute("PRAGMA cache_size = -16000")
        self._catch_up()
        self.db.executescript(SCHEMA)
        # Commits so far; when last looked at; when the log was last folded.
        self._commits = self._commits_at_rest = self._commits_folded = 0

    def unit(self) -> Unit:
        """Everything inside is kept, or nothing is; what is kept is durable with the next commit."""
        return Unit(self)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A unit, and its commit, with whatever else was waiting for one."""
        with self.unit() as db:
            yield db
        self.commit()

    def undo(self) -> None:
        """Drop what the unit wrote so far; it goes on, empty."""
        self.db.execute("ROLLBACK TO unit")

    def commit(self) -> None:
        """Make everything durable that was kept so far."""
        if self.db.in_transaction:
            self.db.execute("COMMIT")
            self._commits += 1

    def rest(self) -> None:
        """Fold the log into the file if nothing was committed since this was last called, and something before."""
        if self._commits == self._commits_at_rest and self._commits != self._commits_folded:
            self.db.execute("PRAGMA wal_checkpoint(PASSIVE)")
            self._commits_folded = self._commits
        self._commits_at_rest = self._commits

    def _catch_up(self) -> None:
        """Give the tables of a file that an earlier version wrote what they had not yet."""
        columns = {name for (name,) in self.db.execute("SELECT name FROM pragma_table_info('agenda')")}
        if columns and "clock" not in columns:
            self.db.execute("ALTER TABLE agenda ADD COLUMN clock TEXT")
            self.db.execute("DROP INDEX IF EXISTS agenda_by_due")

    def close(self) -> None:
        self.db.close()


class Unit:
    """A piece of work in the open transaction. Units do not nest: it is always the last one that is undone."""

    __slots__ = ("_store",)

    def __init__(self, store: Store) -> None:
        self._store = store

    def __enter__(self) -> sqlite3.Connection:
        db = self._store.db
        if not db.in_transaction:
            db.execute("BEGIN IMMEDIATE")
        db.execute("SAVEPOINT unit")
        return db

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> Literal[False]:
        if kind is None:
            self._store.db.execute("RELEASE unit")
        else:
            self._store.undo()
        return False
