"""The inbox: events by state, one event and what became of it, and the lanes in which they wait."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from paydesk.billing.inbox.letters import EVENT_STATES, LIMIT
from paydesk.billing.log import redact
from paydesk.billing.web.admin.room import Asking, Shown, nothing

if TYPE_CHECKING:
    from collections.abc import Mapping

LANES_MAX = 100
RETRYABLE = ("received", "parked", "dead")


def overview(asking: Asking) -> Shown:
    """How it is, at a glance."""
    desk = asking.desk
    waiting = desk.operations.backlog.waiting()
    return Shown("overview.html", {"health": desk.health(), "waiting": waiting}, refresh_seconds=30)


def events(asking: Asking) -> Shown:
    """The newest events, of a state, of a type, or about something."""
    letters, fields = asking.desk.operations.letters, asking.fields
    state: Any = asking.one_of("state", EVENT_STATES)
    kind, about = fields.get("type"), fields.get("about")
    found = letters.events(state=state, kind=kind, about=about, after=fields.get("after"), limit=LIMIT + 1)
    chosen = {"state": state, "type": kind, "about": about}
    after = found[LIMIT - 1].id if len(found) > LIMIT else None
    return Shown("events.html", {"events": found[:LIMIT], "states": EVENT_STATES, "chosen": chosen, "after": after})


def event(asking: Asking) -> Shown:
    """One event: why it is where it is, whose handlers it concerns, and what Stripe sent."""
    letters = asking.desk.operations.letters
    found = letters.event(asking.fields.get("id", ""))
    if found is None:
        return nothing("There is no such event", "It was never received here, or is forgotten by now.")
    payload = json.dumps(without_secrets(letters.payload(found.id)), indent=2, ensure_ascii=False)
    values = {
        "event": found,
        "effects": letters.effects(source=found.id),
        "payload": redact(payload),
        "can_retry": found.state in RETRYABLE,
    }
    return Shown("event.html", values)


def retry(asking: Asking) -> Mapping[str, str]:
    """Try one event again. What names none means none, and never all."""
    event_id = asking.fields.get("id", "")
    return {"id": event_id, "retried": str(int(asking.desk.operations.letters.retry_event(event_id)))}


def retry_dead(asking: Asking) -> Mapping[str, str]:
    """Try all that are dead again."""
    return {"state": "received", "retried": str(asking.desk.operations.letters.retry_dead_events())}


def lanes(asking: Asking) -> Shown:
    """Where events wait, and who works there."""
    found = asking.desk.operations.backlog.lanes(LANES_MAX + 1)
    return Shown("lanes.html", {"lanes": found[:LANES_MAX], "has_more": len(found) > LANES_MAX, "most": LANES_MAX})


def without_secrets(value: Any) -> Any:
    """What Stripe sent, but for what opens doors: a payment's client secret, for one."""
    if isinstance(value, dict):
        return {name: "***" if _is_secret(name, each) else without_secrets(each) for name, each in value.items()}
    return [without_secrets(each) for each in value] if isinstance(value, list) else value


def _is_secret(name: str, value: Any) -> bool:
    return "secret" in name and isinstance(value, str)
