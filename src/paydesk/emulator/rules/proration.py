"""Proration: what a change in the middle of a period gives back, and what it costs for the rest of it.

Time counts by the second. Each line is rounded once, downwards: half a cent owed to the customer is a cent,
half a cent owed by them is none. Amounts are whole numbers of the currency's smallest unit.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Period:
    """From its first moment to the first one after it, in seconds since 1970."""

    start: int
    end: int

    def rest(self, moment: int) -> Period:
        """What is left of it from a moment on."""
        return Period(min(max(moment, self.start), self.end), self.end)


def share(amount: int, whole: Period, part: Period) -> int:
    """What part of a period costs, where all of it costs `amount`; a negative amount is given back."""
    length = whole.end - whole.start
    return 0 if length <= 0 else amount * (part.end - part.start) // length


def credit(amount: int, period: Period, moment: int) -> int:
    """What is given back (a number of 0 or less) of a period that cost `amount`, from `moment` on."""
    return share(-amount, period, period.rest(moment))


def debit(amount: int, period: Period, moment: int) -> int:
    """What the rest of a period costs that costs `amount` as a whole."""
    return share(amount, period, period.rest(moment))
