"""Planted bugs: the rules of the house, broken one at a time. If one goes unnoticed, the simulation proves nothing."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from sqlalchemy import update

from paydesk.billing.attempts import Attempt, Attempts, canonical
from paydesk.billing.inbox import visits
from paydesk.billing.inbox.effects import Effects
from paydesk.billing.inbox.group_commit import GroupCommit
from paydesk.billing.inbox.handler_session import session_on
from paydesk.billing.inbox.lanes import Lanes
from paydesk.billing.inbox.signature import Signatures
from paydesk.billing.inbox.write import Writer
from paydesk.billing.mirror import decide as deciding
from paydesk.billing.stripe_api import StripeApi
from paydesk.billing.truth.sweep import Sweep

SEEDS_MAX = 30


@dataclass(frozen=True)
class Bug:
    """A rule, and how it is broken. `shown_by` is a seed that noticed, to look at first."""

    rule: str
    plant: Callable[[], AbstractContextManager[Any]]
    shown_by: int = 0

    @property
    def seeds(self) -> list[int]:
        """The universes in which it must be noticed, one or the other."""
        return [self.shown_by, *(seed for seed in range(SEEDS_MAX) if seed != self.shown_by)]


def _replaced(owner: Any, name: str, change: Callable[[Any], Any]) -> Callable[[], AbstractContextManager[Any]]:
    """Put something else in the place of a method."""
    return lambda: patch.object(owner, name, change(getattr(owner, name)))


def _hold_nothing(_: Any) -> Any:
    return lambda self, connection, lease: None


def _new_key_each_time(plain: Any) -> Any:
    def write(self: StripeApi, doing: str, key: str, ask: Any) -> Any:
        return plain(self, doing, f"{key}_{secrets.token_hex(4)}", ask)

    return write


def _no_key_at_all(plain: Any) -> Any:
    def write(self: StripeApi, doing: str, key: str, ask: Any) -> Any:
        return self._patiently(doing, lambda: ask(self._client(retries=0), {}))

    return write


def _new_attempt_each_time(plain: Any) -> Any:
    def opened(self: Attempts, connection: Any, verb: Any, subject: str, params: Any) -> Any:
        self_table = self._table
        connection.execute(update(self_table).where(self_table.c.subject == subject).values(state="failed"))
        return plain(self, connection, verb, subject, params)

    return opened


def _believe_payloads(plain: Any) -> Any:
    def decide(known: Any, told: Any) -> Any:
        return "apply" if told.is_whole else plain(known, told)

    return decide


def _drop_old_payloads(plain: Any) -> Any:
    def decide(known: Any, told: Any) -> Any:
        is_old = known is not None and known.seen_at is not None and told.created <= known.seen_at
        return "ignore" if is_old else plain(known, told)

    return decide


def _acknowledge_before_commit(plain: Any) -> Any:
    def insert(self: GroupCommit, arrival: Any) -> bool:
        kept: list[Any] = self.__dict__.setdefault("kept", [])
        if kept:
            plain(self, kept.pop())
        kept.append(arrival)
        return True

    return insert


def _lose_what_is_kept_again(plain: Any) -> Any:
    def insert(self: GroupCommit, arrival: Any) -> bool:
        return bool(plain(self, _replaced_id(arrival)))

    return insert


def _replaced_id(arrival: Any) -> Any:
    """An event that is known by its arrival and not by its id."""
    return arrival._replace(id=f"{arrival.id}_{secrets.token_hex(3)}")


def _mark_whatever_waits(plain: Any) -> Any:
    def conclude(self: Writer, connection: Any, rounds: Any, named: Any) -> int:
        events, written = self._store.tables.events, list(rounds)
        lanes = {each.lane for each in written}
        connection.execute(update(events).where(events.c.lane.in_(lanes)).values(state="applied"))
        return int(plain(self, connection, written, named))

    return conclude


def _mark_apart(_: Any) -> Any:
    def run(self: Effects, effect: Any, handler: Any, subject: Any) -> None:
        with session_on(self._store) as db:
            handler.function(subject, db=db)
            db.flush()
            db.commit_for_good()
        with self._store.write() as connection:
            connection.execute(self._done(effect))

    return run


def _forget_facts(plain: Any) -> Any:
    def of_round(self: Effects, connection: Any, named: Any, events: Any) -> int:
        return int(plain(self, connection, list(named)[1:], events))

    return of_round


def _take_whatever_is_leased(_: Any) -> Any:
    def is_unleased(self: Lanes, now: Any) -> Any:
        return self._lanes.c.lane.is_not(None)

    return is_unleased


def _never_finish(_: Any) -> Any:
    return lambda self: 0


def _trust_everybody(_: Any) -> Any:
    return lambda self, body, header, now: None


def _promise_nothing(_: Any) -> Any:
    """A key that is only in memory: what it was for is forgotten with the process."""

    def opened(self: Attempts, connection: Any, verb: Any, subject: str, params: Any) -> Any:
        key = f"pdk_{verb.name}_{secrets.token_hex(8)}"
        return Attempt(key, verb.name, subject, canonical(params), self._now())

    return opened


def _keep_a_lane_for_ever(_: Any) -> Any:
    def is_unleased(self: Lanes, now: Any) -> Any:
        return self._lanes.c.lease_expires_at.is_(None)

    return is_unleased


def _bury_nobody(_: Any) -> Any:
    return lambda self, connection, visit: None


def _find_nothing(_: Any) -> Any:
    return lambda self, events: 0


def _all_are_held(_: Any) -> Any:
    return lambda self, connection, leases: {lease.lane for lease in leases}


@contextmanager
def _lost_leases() -> Iterator[None]:
    """Whoever comes too late writes all the same."""
    with (
        patch.object(Lanes, "hold", _hold_nothing(None)),
        patch.object(Lanes, "hold_those", _all_are_held(None)),
    ):
        yield


@contextmanager
def _stale_world() -> Iterator[None]:
    """Lanes that anybody takes, and nobody holds to the end: the two halves of one protection."""
    with patch.object(Lanes, "_is_unleased", _take_whatever_is_leased(None)), _lost_leases():
        yield


BUGS = (
    Bug("a lane is worked on under its lease to the end", _stale_world),
    Bug("a lost lease throws its work away", _lost_leases, 4),
    Bug("a lease runs out", _replaced(Lanes, "_is_unleased", _keep_a_lane_for_ever)),
    Bug("a write is repeated under its own key", _replaced(StripeApi, "write", _new_key_each_time)),
    Bug("a write has a key", _replaced(StripeApi, "write", _no_key_at_all)),
    Bug("a key is committed before the call", _replaced(Attempts, "open", _promise_nothing), 1),
    Bug("a promise is joined, not made again", _replaced(Attempts, "open", _new_attempt_each_time)),
    Bug("a promise that was left half-way is finished", _replaced(Attempts, "finish_stale", _never_finish)),
    Bug("a payload is not believed where it may be old", _replaced(visits, "decide", _believe_payloads), 1),
    Bug("within the window no payload is preferred", lambda: patch.object(deciding, "AMBIGUITY_WINDOW_SECONDS", -1), 4),
    Bug("what is older by its stamp is not thrown away", _replaced(visits, "decide", _drop_old_payloads), 4),
    Bug("what is gone at Stripe is buried", _replaced(Writer, "_bury", _bury_nobody)),
    Bug("what is acknowledged is committed", _replaced(GroupCommit, "insert", _acknowledge_before_commit), 13),
    Bug("an event is known by its id", _replaced(GroupCommit, "insert", _lose_what_is_kept_again)),
    Bug("only what was noted before the read is marked", _replaced(Writer, "_conclude", _mark_whatever_waits)),
    Bug("an effect is marked in its own transaction", _replaced(Effects, "_run_with_db", _mark_apart), 10),
    Bug("every fact is told", _replaced(Effects, "of_round", _forget_facts), 1),
    Bug("a webhook is checked", _replaced(Signatures, "check", _trust_everybody)),
    Bug("what never arrived is fetched", _replaced(Sweep, "_receive", _find_nothing)),
)
