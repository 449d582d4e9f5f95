"""Reports: what the last look at the whole mirror found, and how far one that is under way has come.

It is kept in the database, so that every process shows the same. A look at a part of the mirror says nothing of the
whole, and leaves no report.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import select, update

from paydesk.billing.log import redact

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from paydesk.billing.store.store import Store
    from paydesk.billing.truth.verify import OnStep, Verified

WHOLE = "verify"

# A process that has not been heard of for so long has died on the way. Pages of Stripe's lists come every second.
SILENCE_MAX = timedelta(minutes=2)
SIGN_EVERY = timedelta(seconds=1)

# A mirror with more drift than this is not repaired by reading a list.
DRIFTS_MAX = 200

State = Literal["running", "done", "failed", "interrupted"]


@dataclass(frozen=True)
class Report:
    """What was found, of `looked_at` objects: `drifts` as `paydesk verify --json` prints them, the first 200 of them.

    While it is *running*, `table` says where it is and `found` what looked wrong so far. *failed*: Stripe or the
    database did not answer, as `error` says; *interrupted*: the process that was at it is gone.
    """

    state: State
    began_at: datetime
    finished_at: datetime | None
    table: str | None
    looked_at: int
    found: int
    is_true: bool | None
    drifts: tuple[dict[str, Any], ...]
    findings: tuple[dict[str, Any], ...]
    error: str | None


class Reports:
    """Keeps the last report."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self._table = store.tables.reports
        self._now = now

    def last(self) -> Report | None:
        """The last one, or the one under way."""
        with self._store.read() as connection:
            row = connection.execute(select(self._table).where(self._table.c.name == WHOLE)).mappings().first()
        if row is None:
            return None
        is_gone = row["state"] == "running" and self._now() - row["seen_at"] > SILENCE_MAX
        body = row["body"] or {}
        return Report(
            state="interrupted" if is_gone else row["state"],
            began_at=row["began_at"],
            finished_at=row["finished_at"],
            table=row["step"],
            looked_at=row["looked_at"],
            found=row["found"],
            is_true=body.get("is_true"),
            drifts=tuple(body.get("drifts", ())),
            findings=tuple(body.get("findings", ())),
            error=row["error"],
        )

    def of(self, verify: Callable[[OnStep], Verified], on_step: OnStep) -> Verified:
        """Verify, and keep a report of it, also if it fails."""
        self._begin()
        before, seen_at = 0, self._now()

        def told(name: str, looked_at: int, found: int, is_done: bool) -> None:
            nonlocal before, seen_at
            on_step(name, looked_at, found, is_done)
            if is_done or self._now() - seen_at >= SIGN_EVERY:
                seen_at = self._now()
                self._set(seen_at=seen_at, step=name, looked_at=before + looked_at, found=found)
            before += looked_at if is_done else 0

        try:
            verified = verify(told)
        except BaseException as error:
            self._set(state="failed", finished_at=self._now(), error=redact(str(error)) or type(error).__name__)
            raise
        drifts = [_plain(asdict(drift)) for drift in verified.drifts[:DRIFTS_MAX]]
        findings = [_plain(asdict(finding)) for finding in verified.findings[:DRIFTS_MAX]]
        self._set(
            state="done",
            finished_at=self._now(),
            looked_at=verified.looked_at,
            found=len(verified.drifts) + len(verified.findings),
            body={"is_true": verified.is_true, "drifts": drifts, "findings": findings},
        )
        return verified

    def _begin(self) -> None:
        now = self._now()
        row = {"name": WHOLE, "state": "running", "began_at": now, "seen_at": now, "looked_at": 0, "found": 0}
        nothing_yet = {"finished_at": None, "step": None, "body": None, "error": None}
        with self._store.write() as connection:
            self._store.upsert(connection, self._table, {**row, **nothing_yet}, on=["name"])

    def _set(self, **columns: Any) -> None:
        with self._store.write() as connection:
            connection.execute(update(self._table).where(self._table.c.name == WHOLE).values(**columns))


def _plain(value: Any) -> Any:
    """As JSON can hold it."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
