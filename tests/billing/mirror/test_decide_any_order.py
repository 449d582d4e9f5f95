"""Deciding, over any history: whatever order events come in, the row ends as the object is."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paydesk.billing.mirror.decide import AMBIGUITY_WINDOW_SECONDS, Answer, Known, Told, decide

# Stripe stamps an event when one of its machines notices the change: nearer than this, stamps may be out of order.
LATE_SECONDS_MAX = AMBIGUITY_WINDOW_SECONDS - 1


@dataclass(frozen=True)
class Change:
    """Something that happens to the object: so long after the last, stamped so late, told whole or in part."""

    after_seconds: int
    stamped_late_seconds: int
    is_whole: bool
    is_telling: bool


@dataclass(frozen=True)
class Delivery:
    """One of the events so far arrives; which, the number says."""

    number: int


MOSTLY, RARELY = st.sampled_from((True, True, True, False)), st.sampled_from((False, False, False, True))
CHANGES = st.builds(
    Change,
    st.sampled_from((0, 0, 1, 2, AMBIGUITY_WINDOW_SECONDS + 1, 12)),
    st.sampled_from((0, 0, LATE_SECONDS_MAX)),
    is_whole=MOSTLY,
    is_telling=RARELY,
)
STEPS = st.lists(CHANGES | st.builds(Delivery, st.integers(0, 50)), min_size=1, max_size=25)


class Row:
    """A row of the mirror: which version of the object it holds, and what it knows of its age."""

    def __init__(self) -> None:
        self.version: int | None = None
        self.known: Known | None = None

    def hear(self, told: Told, version: int, newest: int) -> Answer:
        """Do what was decided about an event that tells this version, while Stripe has the newest."""
        answer = decide(self.known, told)
        if answer != "ignore":
            self.version = version if answer == "apply" else newest
            payload_at = told.created if answer == "apply" else None
            self.known = Known(told.created, payload_at, told.is_deletion)
        return answer


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(steps=STEPS, livemode=MOSTLY, is_deleted=RARELY, order=st.randoms(use_true_random=False))
def test_a_row_ends_as_the_object_is(
    steps: list[Change | Delivery],
    livemode: bool,
    is_deleted: bool,
    order: Random,
) -> None:
    """Early, late, twice, out of order, within a second of each other, and before or after the object's end."""
    row, told, moment = Row(), list[Told](), 1_000_000
    undelivered = set[int]()

    def happen(change: Change, *, is_deletion: bool = False) -> None:
        nonlocal moment
        moment += change.after_seconds
        stamp = moment + change.stamped_late_seconds
        undelivered.add(len(told))
        told.append(Told(stamp, livemode, change.is_whole, is_deletion, change.is_telling))

    def deliver(number: int) -> None:
        undelivered.discard(number)
        row.hear(told[number], number, len(told) - 1)

    for step in steps:
        if isinstance(step, Change):
            happen(step)
        elif told:
            deliver(step.number % len(told))
    if is_deleted:
        happen(Change(0, 0, is_whole=True, is_telling=False), is_deletion=True)
    left = sorted(undelivered)
    order.shuffle(left)
    for number in left:
        deliver(number)

    if told:
        assert row.version == len(told) - 1
        assert row.known is not None
        assert row.known.is_deleted == is_deleted
