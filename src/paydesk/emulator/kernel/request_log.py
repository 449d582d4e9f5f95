"""The request log: what was asked and what was answered, for the person who wonders why.

It is written behind the answers, in batches: the log may lose its last moments in a
crash, the objects never do. Card numbers, security codes and signing secrets are starred.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from paydesk.emulator.kernel.messages import Request
    from paydesk.emulator.kernel.store import Store

OK = 200
BATCH = 200
KEPT_PER_SERVER = 10_000

_SIGNING_SECRET = re.compile(r"whsec_\w+")
_CARD_DATA = re.compile(r"((?:number|cvc)(?:\]|%5D)?=)[^&]*")


class Entry(NamedTuple):
    """One request and its answer. `duration_us` is in microseconds, `created` in seconds."""

    sandbox: int
    id: str
    request: Request
    version: str
    status: int
    answer: bytes
    created: int
    duration_us: int

    def row(self) -> tuple[Any, ...]:
        params = self.request.body.decode("utf-8", "replace") or self.request.query
        return (
            self.sandbox,
            self.id,
            self.request.method,
            self.request.path,
            _without_card_data(params),
            self.request.headers.get("idempotency-key"),
            self.version,
            self.status,
            self._shown_answer(),
            self.created,
            self.duration_us,
        )

    def _shown_answer(self) -> str | None:
        """The answer, unless it is kept under the request's idempotency key anyway."""
        if self.request.method == "POST" and self.status == OK and "idempotency-key" in self.request.headers:
            return None
        return self.answer.decode()


def _without_card_data(params: str) -> str:
    # Most requests carry none, and looking for a word is much quicker than looking for a pattern.
    return _CARD_DATA.sub(r"\1***", params) if "number" in params or "cvc" in params else params


class RequestLog:
    """The newest requests of one server."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[Entry] = []

    def note(self, entry: Entry) -> None:
        """Take an entry; a full batch is written."""
        self._waiting.append(entry)
        if len(self._waiting) >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Write what waits, and forget what is too old to matter."""
        if not self._waiting:
            return
        rows = [entry.row() for entry in self._waiting]
        self._waiting.clear()
        with self._store.transaction() as db:
            cursor = db.cursor()
            cursor.executemany(
                "INSERT INTO requests (sandbox, id, method, path, params, idempotency_key, version, status, answer, "
                "created, duration_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                rows,
            )
            (newest,) = db.execute("SELECT max(seq) FROM requests").fetchone()
            db.execute("DELETE FROM requests WHERE seq <= ?", (newest - KEPT_PER_SERVER,))

    def find(self, request_id: str) -> dict[str, Any] | None:
        """One request with its answer, by its id."""
        self.flush()
        cursor = self._store.db.execute(
            "SELECT r.id, r.method, r.path, r.params, r.idempotency_key, r.version, r.status, r.created, "
            "r.duration_us, coalesce(r.answer, CAST(i.body AS TEXT)) AS answer "
            "FROM requests r LEFT JOIN idempotency i ON i.sandbox = r.sandbox AND i.key = r.idempotency_key "
            "WHERE r.id = ?",
            (request_id,),
        )
        row = cursor.fetchone()
        if row is None:
            return None
        found = {column[0]: value for column, value in zip(cursor.description, row, strict=True)}
        return found | {"answer": _SIGNING_SECRET.sub("whsec_***", found["answer"])}
