"""Health: whether what Stripe tells is worked on in time.

It is asked by machines, often, and by anybody: so it costs one query, changes nothing, and tells nothing of whom or how
much.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sqlalchemy.exc import SQLAlchemyError

from paydesk.billing.log import get_logger
from paydesk.billing.store.engine import said_by
from paydesk.billing.store.migrations import HEAD, revision_of
from paydesk.errors import DatabaseUnavailable

if TYPE_CHECKING:
    from paydesk.billing.operations.backlog import Backlog
    from paydesk.billing.store.store import Store

logger = get_logger(__name__)

Condition = Literal["ok", "late", "not_migrated", "no_database"]


@dataclass(frozen=True)
class Health:
    """How an app is.

    *ok*; or *late*: an event has been due for more than `late_after_seconds`; or *not_migrated*: the tables are not
    those of this version, or *no_database*: it cannot be asked. `oldest_seconds` is how long the event that is due
    longest has been due; None where nobody could find out.
    """

    condition: Condition
    oldest_seconds: int | None
    late_after_seconds: int

    @property
    def is_well(self) -> bool:
        return self.condition == "ok"


class Checkup:
    """Finds out how this app is."""

    def __init__(self, store: Store, backlog: Backlog, *, late_after_seconds: int) -> None:
        self._store = store
        self._backlog = backlog
        self._late_after_seconds = late_after_seconds
        self._is_migrated = False

    def health(self) -> Health:
        """How it is at this moment. Never raises."""
        try:
            # Tables do not go back to an earlier version: what is there once, need not be asked for again.
            if not self._is_migrated and revision_of(self._store) < HEAD:
                return self._as("not_migrated")
            self._is_migrated = True
            oldest = self._backlog.oldest_seconds()
        except (SQLAlchemyError, DatabaseUnavailable) as error:
            logger.warning("The database cannot be asked: %s", said_by(error))
            return self._as("no_database")
        return self._as("late" if oldest > self._late_after_seconds else "ok", oldest)

    def _as(self, condition: Condition, oldest_seconds: int | None = None) -> Health:
        return Health(condition, oldest_seconds, self._late_after_seconds)
