"""What of a desk's inside tests need and apps do not, in one place."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from paydesk.billing.attempts import STALE_AFTER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from paydesk import Paydesk
    from paydesk.billing.inbox.inbox import Inbox

# The finisher looks for what is older, not as old.
_A_MOMENT = timedelta(seconds=1)


def inbox_of(desk: Paydesk) -> Inbox:
    """The desk's inbox."""
    return desk._inbox  # noqa: SLF001 - the one look into the desk: an app has no use for its inbox


def patrol(desk: Paydesk) -> None:
    """Look after what a worker looks after every few minutes: events whose webhooks never arrived, for one."""
    for round_off in inbox_of(desk)._patrols:  # noqa: SLF001 - as above
        round_off(lambda: False)


def next_due(desk: Paydesk, now: datetime) -> datetime | None:
    """When the worker next has something to do that is not due yet; None when it has not."""
    tables = desk.store.tables
    with desk.store.read() as connection:
        events = select(func.min(tables.events.c.next_at)).where(
            tables.events.c.state.in_(("received", "parked")), tables.events.c.next_at > now
        )
        effects = select(func.min(tables.effects.c.next_at)).where(
            tables.effects.c.state == "waiting", tables.effects.c.next_at > now
        )
        promises = select(func.min(tables.attempts.c.created_at)).where(
            tables.attempts.c.state == "open", tables.attempts.c.created_at > now - STALE_AFTER
        )
        due = [connection.scalar(query) for query in (events, effects)]
        promised = connection.scalar(promises)
    if promised is not None:
        due.append(promised + STALE_AFTER + _A_MOMENT)
    known = [moment for moment in due if moment is not None]
    return min(known) if known else None


@contextmanager
def failures_noted(desk: Paydesk) -> Iterator[list[tuple[Any, BaseException]]]:
    """The handlers that fail meanwhile: each effect's row, and what was raised."""
    effects, failed = inbox_of(desk).effects, []
    plain = effects._failed  # noqa: SLF001 - where a handler's own exception is still at hand

    def note(claimed: Any, error: BaseException) -> None:
        failed.append((claimed, error))
        plain(claimed, error)

    inside: dict[str, Any] = vars(effects)
    inside["_failed"] = note
    try:
        yield failed
    finally:
        inside.pop("_failed", None)
