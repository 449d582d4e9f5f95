"""Our own writes at Stripe, each done exactly once, whatever breaks on the way.

A write begins as a row: the idempotency key and the exact parameters are
committed before Stripe is called. Whoever finds the row open afterwards (the
same request, a second click, the finisher after a crash) sends the very same
thing, and Stripe answers the very same answer.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import Row, select, update

from paydesk.billing.log import get_logger
from paydesk.errors import OutcomeUnknown, PaydeskError, StripeRefused, StripeUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import stripe
    from sqlalchemy import Connection

    from paydesk.billing.store.store import Store
    from paydesk.billing.stripe_api import StripeApi

logger = get_logger(__name__)

# Every key begins so: our own changes are told by it in `event.request.idempotency_key`.
KEY_PREFIX = "pdk_"

# A request that takes longer than this has died; one that has not gets the same answer as the finisher.
STALE_AFTER = timedelta(minutes=1)

# Stripe keeps keys for at least a day. Later, the same key would do the thing a second time.
KEY_LIFETIME = timedelta(hours=23)

FINISHED_AT_ONCE_MAX = 100

# Says nothing about the write itself, which an earlier try may have done: it waits for a better key.
_THE_KEY_IS_REFUSED = frozenset({401, 403})


@dataclass(frozen=True)
class Attempt:
    """A write we have promised ourselves to finish. `params` is exactly what Stripe is sent."""

    key: str
    verb: str
    subject: str
    params: Any
    created_at: datetime


class Verb(Protocol):
    """One kind of write: how Stripe is asked, and what the answer changes here."""

    @property
    def name(self) -> str: ...
    @property
    def doing(self) -> str: ...

    def ask(
        self, client: stripe.StripeClient, attempt: Attempt, options: stripe.RequestOptions
    ) -> stripe.StripeObject: ...

    def apply(self, connection: Connection, attempt: Attempt, answer: Mapping[str, Any]) -> None:
        """Write what the answer means, in the transaction that closes the attempt. May run twice."""

    def give_up(self, connection: Connection, attempt: Attempt) -> None:
        """Write that it will never be done, in the transaction that closes the attempt."""


class Attempts:
    """The book of our own writes."""

    def __init__(
        self,
        store: Store,
        stripe_api: StripeApi,
        *,
        now: Callable[[], datetime],
        new_token: Callable[[], str] = lambda: secrets.token_urlsafe(18),
    ) -> None:
        self._store = store
        self._table = store.tables.attempts
        self._stripe_api = stripe_api
        self._now = now
        self._new_token = new_token
        self._verbs: dict[str, Verb] = {}

    def register(self, verbs: Iterable[Verb]) -> None:
        """Name the verbs the finisher may meet."""
        self._verbs.update({verb.name: verb for verb in verbs})

    def open(self, connection: Connection, verb: Verb, subject: str, params: Mapping[str, Any]) -> Attempt:
        """Promise a write, in the caller's transaction: an open attempt for the subject is joined, not doubled.

        Two callers must not do this at once for one subject: lock its row first. An attempt that Stripe refused
        is over, so the next one has a new key: the old one would repeat the refusal for a day. Keys are random and
        not made from our ids, because two databases may share one Stripe account.
        """
        table = self._table
        mine = (table.c.verb == verb.name, table.c.subject == subject)
        if (row := connection.execute(select(table).where(*mine, table.c.state == "open")).first()) is not None:
            return _attempt(row)
        attempt = Attempt(
            key=f"{KEY_PREFIX}{verb.name}_{self._new_token()}",
            verb=verb.name,
            subject=subject,
            params=canonical(params),
            created_at=self._now(),
        )
        connection.execute(
            table.insert().values(
                key=attempt.key,
                verb=attempt.verb,
                subject=attempt.subject,
                params=attempt.params,
                state="open",
                created_at=attempt.created_at,
            )
        )
        return attempt

    def pending(self, verbs: Iterable[Verb], subject: str) -> list[Attempt]:
        """What was promised about the subject and is not known to be done, oldest first."""
        table = self._table
        names = [verb.name for verb in verbs]
        query = select(table).where(table.c.subject == subject, table.c.verb.in_(names), table.c.state == "open")
        with self._store.read() as connection:
            return [_attempt(row) for row in connection.execute(query.order_by(table.c.created_at))]

    def is_done(self, connection: Connection, verb: Verb, subject: str) -> bool:
        """Whether this was ever done for the subject, by whoever finished it: for what is done only once."""
        table = self._table
        done = (table.c.verb == verb.name, table.c.subject == subject, table.c.state == "done")
        return connection.execute(select(table.c.key).where(*done)).first() is not None

    def finish(self, attempt: Attempt) -> Mapping[str, Any]:
        """Do what was promised and answer Stripe's object. Safe to call again, from anywhere, at any time.

        Raises StripeRefused when Stripe will not do it (the attempt is closed), StripeUnavailable when the answer
        is not known (it stays open, and is finished later), OutcomeUnknown when it is too late to ask (closed).
        """
        verb = self._verbs[attempt.verb]
        if self._now() - attempt.created_at > KEY_LIFETIME:
            unknown = OutcomeUnknown(verb.doing, attempt.key)
            self._close_failed(verb, attempt, str(unknown))
            raise unknown
        try:
            answer = self._stripe_api.write(
                verb.doing, attempt.key, lambda client, options: verb.ask(client, attempt, options)
            )
        except StripeRefused as refusal:
            if refusal.status in _THE_KEY_IS_REFUSED:
                raise StripeUnavailable(verb.doing, refusal.message, tries=1) from refusal
            self._close_failed(verb, attempt, str(refusal))
            raise
        plain = answer.to_dict(for_json=True)
        with self._store.write() as connection:
            verb.apply(connection, attempt, plain)
            self._close(connection, attempt, state="done", response_id=plain.get("id"), response=plain)
        return plain

    def finish_stale(self) -> int:
        """Finish what somebody left half-way more than a minute ago; answers how many Stripe gave an answer to."""
        now = self._now()
        table = self._table
        stale = (
            select(table)
            .where(table.c.state == "open", table.c.created_at <= now - STALE_AFTER)
            .order_by(table.c.created_at)
            .limit(FINISHED_AT_ONCE_MAX)
        )
        with self._store.read() as connection:
            attempts = [_attempt(row) for row in connection.execute(stale)]
        return sum(self._finish_stale(attempt) for attempt in attempts)

    def _finish_stale(self, attempt: Attempt) -> bool:
        if attempt.verb not in self._verbs:
            logger.error("attempt %s is of a verb this version does not know: %s", attempt.key, attempt.verb)
            return False
        try:
            self.finish(attempt)
        except StripeUnavailable as error:
            logger.warning("attempt %s stays open: %s", attempt.key, error)
            return False
        except OutcomeUnknown:
            logger.exception("attempt %s is given up", attempt.key)
        except PaydeskError as error:
            logger.warning("attempt %s was refused: %s", attempt.key, error)
        except Exception:
            logger.exception("attempt %s stays open, and the others are finished all the same", attempt.key)
            return False
        else:
            logger.info("attempt %s was left half-way and is done now", attempt.key)
        return True

    def _close_failed(self, verb: Verb, attempt: Attempt, error: str) -> None:
        with self._store.write() as connection:
            if self._close(connection, attempt, state="failed", error=error):
                verb.give_up(connection, attempt)

    def _close(self, connection: Connection, attempt: Attempt, **values: Any) -> bool:
        """Close the attempt unless somebody else has; answers whether it was us."""
        table = self._table
        statement = update(table).where(table.c.key == attempt.key, table.c.state == "open")
        return connection.execute(statement.values(finished_at=self._now(), **values)).rowcount == 1


def canonical(params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters in one fixed order: the first try and one resumed from the database send the same bytes."""
    fixed: dict[str, Any] = json.loads(json.dumps(params, sort_keys=True))
    return fixed


def _attempt(row: Row[Any]) -> Attempt:
    return Attempt(row.key, row.verb, row.subject, canonical(row.params), row.created_at.astimezone(UTC))
