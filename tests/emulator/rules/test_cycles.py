"""Billing cycles: anchors are respected over short months, leap days and clocks that are put forward."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paydesk.emulator.rules.cycles import Cycle, first_anchor

MOMENTS = st.integers(946_684_800, 4_102_444_800)
CYCLES = st.builds(
    Cycle,
    anchor=MOMENTS,
    interval=st.sampled_from(["day", "week", "month", "year"]),
    count=st.integers(1, 3),
)


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def shown(moment: int) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("anchor", "interval", "count", "boundaries"),
    [
        ("2026-01-31 12:00", "month", 1, ["2026-02-28 12:00", "2026-03-31 12:00", "2026-04-30 12:00"]),
        ("2028-01-31 00:00", "month", 1, ["2028-02-29 00:00", "2028-03-31 00:00"]),
        ("2028-02-29 08:30", "year", 2, ["2030-02-28 08:30", "2032-02-29 08:30"]),
        ("2026-11-30 00:00", "month", 3, ["2027-02-28 00:00", "2027-05-30 00:00"]),
        ("2026-03-08 01:30", "day", 1, ["2026-03-09 01:30", "2026-03-10 01:30"]),
        ("2026-12-28 23:59", "week", 2, ["2027-01-11 23:59", "2027-01-25 23:59"]),
    ],
)
def test_boundaries_come_back_to_their_day(anchor: str, interval: str, count: int, boundaries: list[str]) -> None:
    """A month that is too short ends on its last day; the next one that is not ends on the day again."""
    cycle = Cycle(at(anchor), interval, count)

    assert [shown(cycle.boundary(index + 1)) for index in range(len(boundaries))] == boundaries


def test_a_named_day_outlives_a_short_first_month() -> None:
    """Whoever asks for the 31st in February gets the 28th, and then the 31st."""
    cycle = Cycle(at("2026-02-28 00:00"), "month", 1, day=31)

    assert [shown(cycle.boundary(index)) for index in (0, 1, 2)] == [
        "2026-02-28 00:00",
        "2026-03-31 00:00",
        "2026-04-30 00:00",
    ]


@given(CYCLES, MOMENTS)
def test_every_moment_lies_in_one_period(cycle: Cycle, moment: int) -> None:
    """The period that holds it begins no later and ends after it, and the periods leave no gap."""
    start, end = cycle.holding(moment)

    assert start <= moment < end == cycle.after(moment)
    assert cycle.holding(end)[0] == end
    assert cycle.holding(start) == (start, end)


@given(CYCLES, st.integers(-40, 40))
def test_boundaries_follow_each_other(cycle: Cycle, index: int) -> None:
    """Each is later than the one before, and the cycle knows it for one."""
    assert cycle.boundary(index) < cycle.boundary(index + 1)
    assert cycle.holding(cycle.boundary(index))[0] == cycle.boundary(index)


@pytest.mark.parametrize(
    ("start", "config", "by_year", "anchor"),
    [
        ("2026-11-25 15:00", {"day_of_month": 1}, False, "2026-12-01 15:00"),
        ("2026-11-25 15:00", {"day_of_month": 25, "hour": 18}, False, "2026-11-25 18:00"),
        ("2026-02-10 00:00", {"day_of_month": 31, "hour": 0, "minute": 0, "second": 0}, False, "2026-02-28 00:00"),
        ("2026-11-25 15:00", {"day_of_month": 1, "month": 4}, True, "2027-04-01 15:00"),
    ],
)
def test_an_anchor_can_be_described(start: str, config: dict[str, int], by_year: bool, anchor: str) -> None:
    """By its day, and for years by its month; what is not said is as it is now."""
    assert shown(first_anchor(at(start), config, by_year=by_year)) == anchor
