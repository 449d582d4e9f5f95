"""Events: what happened, each with a snapshot of the object as it was then."""

from __future__ import annotations

from typing import Any

from paydesk.emulator.kernel.kinds import Kind
from paydesk.emulator.kernel.routes import listing, retrieve

EVENT = Kind("event", "evt_", filters=("type",))

KINDS = (EVENT,)
ROUTES = (
    retrieve("/v1/events/{id}", EVENT),
    listing("/v1/events", EVENT, filters="type"),
)
TASKS: dict[str, Any] = {}
