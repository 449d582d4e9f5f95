"""Effects: the app's handlers, each run until it has succeeded once.

A fact makes one row for each handler. A row is run on its own: the handler's work and the mark that it is done are one
transaction, so what a handler writes through `db` happens exactly once. What it does elsewhere happens at least once.
A handler that fails is tried again later, delays nobody else, and in the end is kept as dead, with its traceback.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import traceback
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import func, select, update

from paydesk.billing.facts import FACTS, Fact, StripeEvent
from paydesk.billing.inbox.handlers import topic_key
from paydesk.billing.inbox.history import History
from paydesk.billing.inbox.retry import ATTEMPTS_MAX, after_failure
from paydesk.billing.log import get_logger, redact
from paydesk.billing.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, RowMapping, Update

    from paydesk.billing.inbox.handlers import Handler, Handlers, Topic
    from paydesk.billing.inbox.visits import Noted
    from paydesk.billing.store.store import Store

logger = get_logger(__name__)

# A run belongs to its process for so long, and a living process renews that. After a crash it is started again.
CLAIM = timedelta(minutes=2)

# A handler that takes longer may be started again beside the first. What it writes through db happens once even so.
RUN_MAX = timedelta(hours=1)

# A handler that no process has had for this long is gone from the app: nothing is kept for it any more.
REGISTERED_FOR = timedelta(days=1)
REGISTERED_AGAIN = timedelta(hours=1)


class Named(NamedTuple):
    """A fact, and the lane in which it was found out. `is_told`: its handlers are to hear of it."""

    lane: str
    fact: Fact
    is_told: bool = True
    event_id: str | None = None


class Effects:
    """The handlers' work: naming it, and doing it."""

    def __init__(
        self, store: Store, handlers: Handlers, now: Callable[[], datetime], watch: Watch | None = None
    ) -> None:
        self._store = store
        self._effects = store.tables.effects
        self._handlers = handlers
        self._now = now
        self._watch = watch or Watch()
        self._running: dict[int, datetime] = {}

    def of_facts(self, connection: Connection, facts: Iterable[Fact], *, lane: str, event_id: str | None = None) -> int:
        """Keep the facts that are new, with a row for each of their handlers; answers how many rows."""
        return self.of_round(connection, [Named(lane, fact, event_id=event_id) for fact in facts], [])

    def of_round(self, connection: Connection, named: Sequence[Named], events: Sequence[Noted]) -> int:
        """The same for facts of several lanes, and a row for each handler of the events; answers how many rows.

        Facts that nobody is told of, and those of a time before us, are kept all the same: then nobody is told of them
        later.
        """
        table, now = self._store.tables.facts, self._now()
        rows = [
            {
                "key": each.fact.key,
                "type": each.fact.type,
                "body": each.fact.to_json(),
                "lane": each.lane,
                "event_id": each.event_id,
                "created_at": now,
            }
            for each in named
        ]
        new = set(self._store.new_of(connection, table, rows, table.c.key))
        for key in dict.fromkeys(each.fact.key for each in named if each.fact.key in new):
            logger.info("%s", key)
        history = History(self._store, connection, now)
        told = (each.fact for each in named if each.is_told and each.fact.key in new and not history.has(each.fact))
        sources: dict[str, Topic] = {f"fact:{fact.key}": type(fact) for fact in told}
        sources |= {f"event:{event.id}": event.type for event in events}
        return self._add(connection, sources)

    def register(self) -> None:
        """Make this process's handlers known to every process that may name a fact for them.

        A script or a command that refunds, syncs or repairs has no handlers of its own; the app has. What they name
        for each other is run by whoever has the handler.
        """
        handlers, now = self._store.tables.handlers, self._now()
        with self._store.read() as connection:
            fresh = select(handlers.c.name, handlers.c.topic).where(handlers.c.seen_at > now - REGISTERED_AGAIN)
            known = {row.name: row.topic for row in connection.execute(fresh)}
        stale = {name: topic for name, topic in self._handlers.topics.items() if known.get(name) != topic}
        if stale:
            with self._store.write() as connection:
                for name, topic in sorted(stale.items()):
                    row = {"name": name, "topic": topic, "seen_at": now}
                    self._store.upsert(connection, handlers, row, on=["name"])
            self._tell_of_orphans()

    def run_due(self) -> bool:
        """Run one handler that is due, whatever comes of it; answers whether there was one."""
        claimed = self.claim()
        if claimed is not None:
            self.run(claimed)
        return claimed is not None

    def run(self, claimed: RowMapping) -> None:
        """Run one handler, whatever comes of it."""
        handler = self._handlers.named(claimed["handler"])
        try:
            if claimed["attempts"] >= ATTEMPTS_MAX:
                raise RuntimeError("The process ended each time this handler ran.")
            self._running[claimed["id"]] = self._now()
            try:
                self._run(claimed, handler)
            finally:
                del self._running[claimed["id"]]
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            self._failed(claimed, error)

    def renew(self) -> None:
        """Keep what is running here from being started elsewhere. A living worker calls this every few seconds."""
        now, effects = self._now(), self._effects
        running = [number for number, since in list(self._running.items()) if now - since < RUN_MAX]
        if running:
            with self._store.write() as connection:
                mine = (effects.c.id.in_(running), effects.c.state == "waiting")
                connection.execute(update(effects).where(*mine).values(next_at=now + CLAIM))

    def leave_to_the_parent(self) -> None:
        """After a fork: nothing runs here yet."""
        self._running = {}

    def retry(self, effect_id: int) -> bool:
        """Make a dead or waiting effect due now, with all its tries; answers whether there is such a one."""
        with self._store.write() as connection:
            again = {"state": "waiting", "attempts": 0, "next_at": self._now()}
            chosen = (self._effects.c.id == effect_id, self._effects.c.state != "done")
            return connection.execute(update(self._effects).where(*chosen).values(**again)).rowcount == 1

    def _listening(self, connection: Connection, topics: Iterable[Topic]) -> dict[str, list[str]]:
        """The names of all handlers, by topic: this process's own, and those that others registered lately."""
        listening = {topic_key(topic): [handler.name for handler in self._handlers.of(topic)] for topic in topics}
        handlers = self._store.tables.handlers
        others = select(handlers.c.topic, handlers.c.name).where(
            self._store.among(handlers.c.topic, listening),
            handlers.c.seen_at > self._now() - REGISTERED_FOR,
            self._store.not_among(handlers.c.name, self._handlers.names),
        )
        for row in connection.execute(others.order_by(handlers.c.name)) if listening else ():
            listening[row.topic].append(row.name)
        return listening

    def _tell_of_orphans(self) -> None:
        """Somebody may have paid and wait for a handler that was renamed: that is not to go unnoticed."""
        effects, handlers = self._effects, self._store.tables.handlers
        known = select(handlers.c.name).where(handlers.c.seen_at > self._now() - REGISTERED_FOR)
        orphans = select(effects.c.handler, func.count()).where(
            effects.c.state == "waiting", effects.c.handler.not_in(known)
        )
        with self._store.read() as connection:
            for name, number in connection.execute(orphans.group_by(effects.c.handler)):
                logger.error(
                    "%d effects wait for the handler %s, which no process has had for a day. "
                    "Register a function of that name again and they are run, or delete its rows from the table %s.",
                    number,
                    name,
                    effects.name,
                )

    def _add(self, connection: Connection, sources: Mapping[str, Topic]) -> int:
        listening, now = self._listening(connection, set(sources.values())), self._now()
        due = {"state": "waiting", "next_at": now, "created_at": now}
        rows = [
            {**due, "source": source, "handler": handler}
            for source, topic in sources.items()
            for handler in listening[topic_key(topic)]
        ]
        return self._store.insert_new(connection, self._effects, *rows)

    def claim(self) -> RowMapping | None:
        """Take the effect that has waited longest; nobody else runs it while it is claimed."""
        effects, now = self._effects, self._now()
        waiting = (
            select(effects)
            .where(effects.c.state == "waiting", effects.c.next_at <= now, effects.c.handler.in_(self._handlers.names))
            .order_by(effects.c.next_at, effects.c.id)
            .limit(1)
        )
        with self._store.read() as connection:
            if connection.execute(waiting).first() is None:
                return None
        with self._store.write() as connection:
            row = connection.execute(self._store.locked(waiting, skip_locked=True)).mappings().first()
            if row is not None:
                taken = {"attempts": row["attempts"] + 1, "next_at": now + CLAIM}
                connection.execute(update(effects).where(effects.c.id == row["id"]).values(**taken))
            return row

    def _run(self, effect: RowMapping, handler: Handler) -> None:
        with self._watch.during("effect", handler=handler.name, source=effect["source"]) as act:
            act.outcome = "dead" if effect["attempts"] + 1 >= ATTEMPTS_MAX else "failed"
            self._call(effect, handler, self._subject(effect))
            act.outcome = "done"

    def _call(self, effect: RowMapping, handler: Handler, subject: Fact | StripeEvent) -> None:
        if handler.wants_db:
            self._run_with_db(effect, handler, subject)
            return
        if handler.orm is not None:
            handler.orm.run(lambda: handler.function(subject), self._done(effect))
            return
        if handler.is_coroutine:
            run_to_end(handler.function(subject))
        else:
            handler.function(subject)
        with self._store.write() as connection:
            connection.execute(self._done(effect))

    def _run_with_db(self, effect: RowMapping, handler: Handler, subject: Fact | StripeEvent) -> None:
        from paydesk.billing.inbox.handler_session import session_on

        with session_on(self._store) as db:
            handler.function(subject, db=db)
            # Of two runs of one effect, however that came about, one finds the row done here, and undoes itself.
            db.flush()
            if db.connection().execute(self._done(effect)).rowcount == 1:
                db.commit_for_good()

    def _done(self, effect: RowMapping) -> Update:
        effects = self._effects
        mine = (effects.c.id == effect["id"], effects.c.state == "waiting")
        return update(effects).where(*mine).values(state="done", done_at=self._now(), last_error=None)

    def _failed(self, effect: RowMapping, error: BaseException) -> None:
        attempts, now = effect["attempts"] + 1, self._now()
        again = after_failure(attempts, now)
        what = (effect["handler"], effect["source"], attempts)
        if again is None:
            logger.error("%s failed for %s, %d times, and is given up", *what, exc_info=error)
        else:
            logger.warning("%s failed for %s, for the %d. time, and is tried again later", *what, exc_info=error)
        effects = self._effects
        change = {
            "state": "waiting" if again else "dead",
            "next_at": again or now,
            "last_error": redact("".join(traceback.format_exception(error))),
        }
        with self._store.write() as connection:
            mine = (effects.c.id == effect["id"], effects.c.state == "waiting")
            connection.execute(update(effects).where(*mine).values(**change))

    def _subject(self, effect: RowMapping) -> Fact | StripeEvent:
        """What the handler is called with."""
        kind, _, name = effect["source"].partition(":")
        key = idempotency_key(effect["source"], effect["handler"])
        tables = self._store.tables
        with self._store.read() as connection:
            if kind == "event":
                payload = connection.scalar(select(tables.events.c.payload).where(tables.events.c.id == name))
                return StripeEvent.from_json(json.loads(payload or ""), key)
            row = connection.execute(select(tables.facts).where(tables.facts.c.key == name)).mappings().one()
        named = {fact.type: fact for fact in FACTS}
        return named[row["type"]].from_json({**row["body"], "idempotency_key": key})


def run_to_end(coroutine: Coroutine[Any, Any, object]) -> None:
    """Run a coroutine handler on a loop of its own, also where somebody drains the inbox from within a loop."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, coroutine).result()


def idempotency_key(source: str, handler: str) -> str:
    """The key a handler can pass on to the outside world: the same at each of its tries, and nobody else's."""
    return "pdk_" + hashlib.sha256(f"{source} {handler}".encode()).hexdigest()[:40]
