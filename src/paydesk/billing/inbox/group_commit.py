"""Group commit: deliveries that arrive together share one flush to disk.

A commit costs a flush, a flush takes as long for fifty rows as for one. One thread takes whatever has queued up while
the last flush was under way, inserts it in one transaction, and only then answers everybody who was waiting.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections import deque
from concurrent.futures import Future
from typing import TYPE_CHECKING
from weakref import WeakSet

from paydesk.billing.store.arrivals import open_writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from paydesk.billing.store.arrivals import Arrival, Writer
    from paydesk.billing.store.store import Store

# One transaction stays short enough for other writers, however many deliveries are waiting.
GROUP_MAX = 500

Outcome = bool | BaseException


class GroupCommit:
    """The thread that inserts events. It starts with the first event and ends with `close`."""

    def __init__(self, store: Store, on_commit: Callable[[], None]) -> None:
        """`on_commit` is called, in the inserting thread, after each commit that brought something to do."""
        self._store = store
        self._on_commit = on_commit
        self._is_closed = False
        self.begin()
        _commits.add(self)

    def begin(self) -> None:
        """Begin with an empty queue and no thread; in a forked child, again."""
        self._waiting: deque[tuple[Arrival, _Waiter]] = deque()
        self._some = threading.Condition()
        self._thread: threading.Thread | None = None

    def insert(self, arrival: Arrival) -> bool:
        """Keep the event; returns once it is committed, with whether it is new. Blocks this thread meanwhile."""
        future: Future[bool] = Future()
        self._enqueue(arrival, _Blocked(future))
        return future.result()

    def insert_all(self, arrivals: Iterable[Arrival]) -> list[bool]:
        """The same for many at once, which share commits."""
        futures: list[Future[bool]] = []
        for arrival in arrivals:
            future: Future[bool] = Future()
            self._enqueue(arrival, _Blocked(future))
            futures.append(future)
        return [future.result() for future in futures]

    async def insert_async(self, arrival: Arrival) -> bool:
        """The same, without blocking the event loop."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[bool] = loop.create_future()
        self._enqueue(arrival, _Awaiting(loop, future))
        return await future

    def close(self) -> None:
        """Commit what is waiting, then stop."""
        with self._some:
            self._is_closed = True
            thread = self._thread
            self._some.notify()
        if thread:
            thread.join()

    def _enqueue(self, arrival: Arrival, waiter: _Waiter) -> None:
        with self._some:
            if self._is_closed:
                raise RuntimeError("This desk was closed: it keeps no more events.")
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="paydesk-inbox", daemon=True)
                self._thread.start()
            self._waiting.append((arrival, waiter))
            self._some.notify()

    def _run(self) -> None:
        writer: Writer | None = None
        while group := self._next_group():
            try:
                writer = writer or open_writer(self._store)
                outcomes = _insert(writer, [arrival for arrival, _ in group])
            except BaseException as error:
                outcomes = [error] * len(group)
            if writer and not writer.is_usable:
                writer.close()
                writer = None
            _answer([(waiter, outcome) for (_, waiter), outcome in zip(group, outcomes, strict=True)])
            if any(not isinstance(outcome, BaseException) for outcome in outcomes):
                self._on_commit()
        if writer:
            writer.close()

    def _next_group(self) -> list[tuple[Arrival, _Waiter]]:
        with self._some:
            while not self._waiting and not self._is_closed:
                self._some.wait()
            return [self._waiting.popleft() for _ in range(min(len(self._waiting), GROUP_MAX))]


_commits: WeakSet[GroupCommit] = WeakSet()


def _leave_to_the_parent() -> None:
    """A fork copies queues and locks, but no threads: what waited then is kept by the parent."""
    for commits in _commits:
        commits.begin()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_the_parent)


def _insert(writer: Writer, arrivals: list[Arrival]) -> list[Outcome]:
    """Insert all in one transaction; if that fails, each in its own, so that one bad row harms nobody else's."""
    try:
        return list(writer.insert(arrivals))
    except writer.row_errors:
        if len(arrivals) == 1:
            raise
    return [_insert_alone(writer, arrival) for arrival in arrivals]


def _insert_alone(writer: Writer, arrival: Arrival) -> Outcome:
    try:
        return writer.insert([arrival])[0]
    except Exception as error:
        return error


class _Blocked:
    """A thread that waits."""

    def __init__(self, future: Future[bool]) -> None:
        self._future = future

    loop = None

    def answer(self, outcome: Outcome) -> None:
        if isinstance(outcome, BaseException):
            self._future.set_exception(outcome)
        else:
            self._future.set_result(outcome)


class _Awaiting:
    """A coroutine that waits; it must be answered on its own loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, future: asyncio.Future[bool]) -> None:
        self.loop = loop
        self._future = future

    def answer(self, outcome: Outcome) -> None:
        if self._future.done():
            return  # the request was cancelled; the event is kept all the same
        if isinstance(outcome, BaseException):
            self._future.set_exception(outcome)
        else:
            self._future.set_result(outcome)


_Waiter = _Blocked | _Awaiting


def _answer(answers: list[tuple[_Waiter, Outcome]]) -> None:
    """Tell everybody. A loop is woken once for all of its coroutines: waking it costs more than answering one."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[_Waiter, Outcome]]] = {}
    for waiter, outcome in answers:
        if waiter.loop is None:
            waiter.answer(outcome)
        else:
            by_loop.setdefault(waiter.loop, []).append((waiter, outcome))
    for loop, theirs in by_loop.items():
        # A loop that was closed meanwhile has nobody left who waits. Their events are kept all the same.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(_answer_all, theirs)


def _answer_all(answers: list[tuple[_Waiter, Outcome]]) -> None:
    for waiter, outcome in answers:
        waiter.answer(outcome)
