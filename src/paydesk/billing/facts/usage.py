"""What users use, where that is counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from paydesk.billing.facts.fact import Fact


@dataclass(frozen=True)
class Usage:
    """So much of something, by a user, at a moment. `meter` is the catalog's code."""

    id: str
    user_id: str
    meter: str
    quantity: int
    used_at: datetime


@dataclass(frozen=True)
class UsageRecorded(Fact):
    """The app recorded that something was used. Once for each record; Stripe's meter is told by the same means."""

    type = "usage.recorded"

    usage: Usage

    @property
    def about(self) -> str:
        return self.usage.id
