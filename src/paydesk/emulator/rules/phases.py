"""Phases of a subscription schedule: when each begins and ends, worked out from what a request says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from paydesk.emulator.kernel.errors import exclusive, invalid
from paydesk.emulator.rules.cycles import Cycle

PHASES_MAX: Final = 10


@dataclass(frozen=True)
class Span:
    """From a phase's first moment to the first one after it, in seconds since 1970."""

    start: int
    end: int


def spans(phases: Sequence[Mapping[str, Any]], start: int, rhythms: Sequence[tuple[str, int]]) -> list[Span]:
    """When each phase is, the first one beginning at `start` and each where the one before it ends.

    `rhythms` are the interval and count of each phase's price: a phase that says nothing lasts one of them.

    Raises:
        StripeError: 400 where there are none, too many, or one that ends before it begins.
    """
    if not phases:
        raise invalid("A subscription schedule must have at least one phase.", param="phases")
    if len(phases) > PHASES_MAX:
        raise invalid(f"Array phases exceeded maximum {PHASES_MAX} allowed elements.", param="phases")
    found: list[Span] = []
    for place, (phase, rhythm) in enumerate(zip(phases, rhythms, strict=True)):
        begins = found[-1].end if found else start
        named = phase.get("start_date")
        if found and isinstance(named, int) and named != begins:
            raise invalid(
                "The start date of a phase must be the end date of the phase before it.",
                param=f"phases[{place}][start_date]",
            )
        ends = _end(phase, begins, rhythm, f"phases[{place}]")
        if ends <= begins:
            raise invalid("A phase must end after it begins.", param=f"phases[{place}][end_date]")
        found.append(Span(begins, ends))
    return found


def current(spans_: Sequence[Span], now: int) -> int | None:
    """Which phase a moment lies in; None before the first and after the last."""
    return next((place for place, span in enumerate(spans_) if span.start <= now < span.end), None)


def _end(phase: Mapping[str, Any], begins: int, rhythm: tuple[str, int], where: str) -> int:
    named, lasting = phase.get("end_date"), phase.get("duration")
    if named is not None and lasting is not None:
        raise exclusive(f"{where}[duration]", f"{where}[end_date]")
    if named is not None and named != "now":
        return int(named)
    if lasting is not None:
        return Cycle(begins, lasting["interval"], lasting.get("interval_count", 1)).boundary(1)
    return Cycle(begins, *rhythm).boundary(1)
