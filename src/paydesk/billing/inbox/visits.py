"""Visits: what a round in a lane is about: the events that wait, and the objects they speak of."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from paydesk.billing.mirror import MIRRORED
from paydesk.billing.mirror.decide import Known, Told, decide
from paydesk.billing.mirror.refs import Json, Ref, lane_of, ref_of

if TYPE_CHECKING:
    from datetime import datetime

    from paydesk.billing.mirror.mirrored import Mirrored

BY_TYPE = {mirrored.type: mirrored for mirrored in MIRRORED}
# Then it was fetched by a sweep, or Stripe told it again after an outage: a flood that must leave checkouts the way.
LATE_SECONDS = 600

RANK = {mirrored.type: rank for rank, mirrored in enumerate(MIRRORED)}


# What is read of an event to note it.
NOTED_COLUMNS = ("seq", "id", "type", "created", "attempts", "received_at", "payload", "livemode", "lane")


@dataclass(frozen=True)
class Noted:
    """An event that waits in the lane."""

    seq: int
    id: str
    type: str
    created: int
    attempts: int
    received_at: datetime
    subject: Json
    livemode: bool
    lane: str
    ref: Ref | None


@dataclass
class Visit:
    """One object in the course of a round: what to do about it, what Stripe said, what came of it."""

    ref: Ref
    events: list[Noted] = field(default_factory=list)
    answer: Literal["apply", "ignore", "read"] = "read"
    has_been_read: bool = False
    state: Json | None = None
    is_deleted: bool = False
    outcome: Literal["applied", "parked", "failed"] = "applied"
    error: BaseException | None = None
    is_asked: bool = False
    is_history: bool = False

    @property
    def is_late(self) -> bool:
        """Whether all this happened so long before we heard of it that nobody waits at a page for it any more."""
        ages = [event.received_at.timestamp() - event.created for event in self.events]
        return bool(ages) and min(ages) > LATE_SECONDS

    @property
    def is_unread(self) -> bool:
        """Whether Stripe is still to be asked."""
        return self.answer == "read" and not self.has_been_read and self.outcome != "failed"

    @property
    def mirrored(self) -> Mirrored:
        return BY_TYPE[self.ref.type]

    @property
    def seen_at(self) -> int | None:
        return max((event.created for event in self.events), default=None)

    @property
    def parents(self) -> tuple[Ref, ...]:
        """What the object belongs to. Of one whose shape nobody understands, nothing is known but that."""
        if self.state is None or self.outcome == "failed":
            return ()
        try:
            return tuple(self.mirrored.parents(self.state))
        except Exception as error:
            self.fail(error)
            return ()

    def fail(self, error: Exception) -> None:
        """It cannot be written. Its events are tried again later, and in the end given up."""
        self.outcome, self.error = "failed", error


def choose(visit: Visit, known: Known | None) -> None:
    """Settle on one thing to do for all the events that speak of the object."""
    answers = []
    for event in visit.events:
        # A payload is only the whole of the object if it is that object: a charge tells part of a payment.
        is_own = event.subject.get("object") == visit.ref.type
        told = Told(
            created=event.created,
            livemode=event.livemode,
            is_whole=is_own and _is_whole(visit.mirrored, event.subject),
            is_deletion=is_own and _is_deletion(visit, event),
            is_telling=event.type in visit.mirrored.telling,
        )
        answers.append((decide(known, told), told, event))
    believed = [event for answer, _, event in answers if answer == "apply"]
    gone = [event for _, told, event in answers if told.is_deletion]
    if gone:
        visit.answer, visit.state, visit.is_deleted = "apply", gone[-1].subject, True
    elif any(answer == "read" for answer, _, _ in answers):
        visit.answer = "read"
    elif len(believed) == 1:
        visit.answer, visit.state = "apply", believed[0].subject
    else:
        # Several payloads could each be applied; which is newest, only Stripe can say.
        visit.answer = "read" if believed else "ignore"


def _is_whole(mirrored: Mirrored, subject: Json) -> bool:
    try:
        return mirrored.is_whole(subject)
    except Exception:  # of a payload of a shape that nobody has seen yet, nothing is believed
        return False


def _is_deletion(visit: Visit, event: Noted) -> bool:
    # What is called the deletion of a subscription is its end: it is still there, and says so.
    return visit.mirrored.is_deletable and event.type.endswith(".deleted")


def rank(visit: Visit) -> int:
    return RANK[visit.ref.type]


def noted_in(row: Any) -> Noted:
    subject = json.loads(row.payload)["data"]["object"]
    return Noted(
        seq=row.seq,
        id=row.id,
        type=row.type,
        created=row.created,
        attempts=row.attempts,
        received_at=row.received_at,
        subject=subject,
        livemode=row.livemode,
        lane=lane_of(subject),
        ref=ref_of(subject),
    )
