"""Spans of time, as people say them and as the calendar counts them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from paydesk.emulator.rules.spans import Span, of, read

DAY = 24 * 3600


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("1month", Span(months=1)),
        ("1 month", Span(months=1)),
        ("1mo", Span(months=1)),
        ("2 Months", Span(months=2)),
        ("1y", Span(months=12)),
        ("1 year, 2 months and 3 days", Span(months=14, seconds=3 * DAY)),
        ("10d", Span(seconds=10 * DAY)),
        ("2w", Span(seconds=14 * DAY)),
        ("3h", Span(seconds=3 * 3600)),
        ("1h30m", Span(seconds=5400)),
        ("90 min", Span(seconds=5400)),
        ("45s", Span(seconds=45)),
        ("1d 1d", Span(seconds=2 * DAY)),
        ("P1M", Span(months=1)),
        ("PT1M", Span(seconds=60)),
        ("P1Y2M3W4DT5H6M7S", Span(months=14, seconds=25 * DAY + 5 * 3600 + 6 * 60 + 7)),
    ],
)
def test_a_span_is_read_as_people_write_it(text: str, span: Span) -> None:
    """In words, in letters, or as ISO 8601 has it."""
    assert read(text) == span


@pytest.mark.parametrize("text", ["", "soon", "1", "month", "-1d", "1 fortnight", "1.5h", "P", "PT", "1d!", "and"])
def test_what_is_no_span_is_not_guessed_at(text: str) -> None:
    """Half a guess would push a clock somewhere."""
    assert read(text) is None


@pytest.mark.parametrize(
    ("begins", "months", "ends"),
    [
        ("2030-01-31", 1, "2030-02-28"),
        ("2028-01-31", 1, "2028-02-29"),
        ("2030-01-31", 2, "2030-03-31"),
        ("2028-02-29", 12, "2029-02-28"),
        ("2030-11-30", 3, "2031-02-28"),
        ("2030-12-15", 1, "2031-01-15"),
        ("2030-06-30", 0, "2030-06-30"),
    ],
)
def test_a_month_is_one_of_the_calendar(begins: str, months: int, ends: str) -> None:
    """On the same day, or on the month's last."""
    assert of(months=months).after(_noon(begins)) == _noon(ends)


def test_no_calendar_goes_for_ever() -> None:
    """And nobody is told that one does."""
    with pytest.raises(OverflowError):
        of(years=9000).after(_noon("2030-01-01"))


def _noon(day: str) -> int:
    return int(datetime.fromisoformat(f"{day}T12:00:00").replace(tzinfo=UTC).timestamp())
