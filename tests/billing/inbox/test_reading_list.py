"""The reading list: Stripe is asked when no more events come, and nobody is kept waiting for that."""

from __future__ import annotations

import pytest

from paydesk.billing.inbox.reading_list import LISTED_MAX, PATIENCE_SECONDS, QUIET_SECONDS, ReadingList


class Time:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds + 1e-9

    def list(self) -> ReadingList:
        return ReadingList(sleep=self.sleep, now_seconds=lambda: self.now)


def test_a_lane_is_read_for_after_a_moment_of_quiet() -> None:
    """Whoever takes it waits until then, and no longer."""
    time = Time()
    listed = time.list()
    listed.add("cus_1", 7)

    (taken,) = listed.take(10)

    assert taken.lane == "cus_1"
    assert time.now == pytest.approx(100.0 + QUIET_SECONDS)
    assert listed.is_ripe(taken, 7)


def test_a_lane_for_which_more_has_come_rests_once_more() -> None:
    """It goes back on the list, and is ripe after another moment of quiet."""
    time = Time()
    listed = time.list()
    listed.add("cus_1", 7)
    (first,) = listed.take(10)

    assert not listed.is_ripe(first, 8)
    listed.add("cus_1", 8)
    listed.done([first])
    (second,) = listed.take(10)

    assert listed.is_ripe(second, 8)
    assert time.now == pytest.approx(100.0 + 2 * QUIET_SECONDS)


def test_events_that_never_cease_are_read_for_all_the_same() -> None:
    """After a while the lane's turn has come, however much still arrives."""
    time = Time()
    listed = time.list()
    newest = 1
    listed.add("cus_1", newest)

    while not listed.is_ripe(taken := listed.take(10)[0], newest := newest + 1):
        listed.add("cus_1", newest)
        listed.done([taken])

    assert time.now == pytest.approx(100.0 + PATIENCE_SECONDS)


def test_what_is_listed_or_taken_is_left_alone_until_it_is_done() -> None:
    """Who looks for work passes these lanes over; what comes for them later is found anew."""
    listed = Time().list()
    listed.add("cus_1", 7)
    assert listed.lanes == ["cus_1"]

    taken = listed.take(10)
    assert listed.lanes == ["cus_1"]

    listed.done(taken)
    assert listed.lanes == []
    assert listed.take(10) == []


def test_a_lane_in_trouble_need_not_rest() -> None:
    """What goes wrong together is done by itself at once."""
    time = Time()
    listed = time.list()
    listed.add("cus_1", 0, is_in_trouble=True)

    (taken,) = listed.take(10)

    assert taken.is_in_trouble
    assert time.now == 100.0


def test_the_list_holds_only_so_many() -> None:
    """What finds no place is found again when there is one: it waits in the table."""
    listed = Time().list()
    for number in range(LISTED_MAX + 5):
        listed.add(f"cus_{number}", number)

    assert len(listed.lanes) == LISTED_MAX
