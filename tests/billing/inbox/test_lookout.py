"""Lookouts: of many threads that wake one looks, and not without end."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from paydesk.billing.inbox.lookout import MOMENT_SECONDS, Lookout


class Rests:
    """Time that passes only by resting."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.taken: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.taken.append(seconds)
        self.seconds += seconds

    def now(self) -> float:
        return self.seconds


def test_of_many_threads_one_looks() -> None:
    """Eight that an event woke would ask the database the same; seven are sent away."""
    may_end, is_looking = threading.Event(), threading.Event()
    looks: list[int] = []

    def look() -> str:
        looks.append(1)
        is_looking.set()
        may_end.wait(timeout=10)
        return "work"

    lookout = Lookout(look)
    with ThreadPoolExecutor() as pool:
        first = pool.submit(lookout.find)
        assert is_looking.wait(timeout=10)
        others = [lookout.find() for _ in range(7)]
        may_end.set()

        assert first.result(timeout=10) == "work"
    assert others == [None] * 7
    assert len(looks) == 1


def test_after_a_quiet_time_the_first_look_is_at_once_and_the_second_a_moment_later() -> None:
    """One event waits for nothing; of many, those that come within a moment come together."""
    rests = Rests()
    lookout = Lookout(lambda: "work", sleep=rests.sleep, now_seconds=rests.now)

    lookout.find()
    assert rests.taken == []
    lookout.find()

    assert rests.taken == [MOMENT_SECONDS]


def test_an_eager_one_rests_only_after_finding_nothing() -> None:
    """Handlers are run one by one: there is nothing to gather."""
    rests = Rests()
    found = iter(["one", "two", None, "three"])
    lookout = Lookout(lambda: next(found), is_eager=True, sleep=rests.sleep, now_seconds=rests.now)

    assert [lookout.find() for _ in range(4)] == ["one", "two", None, "three"]
    assert rests.taken == [MOMENT_SECONDS]


def test_a_look_that_fails_leaves_the_place_to_the_next() -> None:
    """The database was away for a moment."""
    tries = iter([ConnectionError, None])

    def look() -> str:
        if (error := next(tries)) is not None:
            raise error
        return "work"

    lookout = Lookout(look)
    with pytest.raises(ConnectionError):
        lookout.find()

    assert lookout.find() == "work"
