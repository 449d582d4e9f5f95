"""The handlers' work: what waits, what was done, and the dead letters with their tracebacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from paydesk.billing.inbox.letters import EFFECT_STATES, LIMIT
from paydesk.billing.web.admin.room import Asking, Shown, nothing

if TYPE_CHECKING:
    from collections.abc import Mapping

NUMBER_DIGITS_MAX = 18


def effects(asking: Asking) -> Shown:
    """The newest effects, of a state, of a handler."""
    letters, fields = asking.desk.operations.letters, asking.fields
    state: Any = asking.one_of("state", EFFECT_STATES)
    handler = fields.get("handler")
    found = letters.effects(state=state, handler=handler, after=number(fields.get("after")), limit=LIMIT + 1)
    after = found[LIMIT - 1].id if len(found) > LIMIT else None
    chosen = {"state": state, "handler": handler}
    return Shown("effects.html", {"effects": found[:LIMIT], "states": EFFECT_STATES, "chosen": chosen, "after": after})


def effect(asking: Asking) -> Shown:
    """One effect, with the traceback of its last try."""
    wanted = number(asking.fields.get("id"))
    found = asking.desk.operations.letters.effect(wanted) if wanted is not None else None
    if found is None:
        return nothing("There is no such effect", "It was done long ago and is forgotten, or it never was.")
    event_id = found.source.removeprefix("event:") if found.source.startswith("event:") else None
    return Shown("effect.html", {"effect": found, "event_id": event_id, "can_retry": found.state != "done"})


def retry(asking: Asking) -> Mapping[str, str]:
    """Run one effect again. What names none means none, and never all."""
    wanted = asking.fields.get("id", "")
    effect_id = number(wanted)
    retried = effect_id is not None and asking.desk.operations.letters.retry_effect(effect_id)
    return {"id": wanted, "retried": str(int(retried))}


def retry_dead(asking: Asking) -> Mapping[str, str]:
    """Run all that are dead again."""
    return {"state": "waiting", "retried": str(asking.desk.operations.letters.retry_dead_effects())}


def number(text: str | None) -> int | None:
    """A row's number in an address, if it can be one."""
    is_number = text is not None and text.isascii() and text.isdecimal() and len(text) <= NUMBER_DIGITS_MAX
    return int(text) if is_number and text is not None else None
