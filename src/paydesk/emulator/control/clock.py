"""`/_local/clock`: the time in a sandbox, and pushing it forward."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from paydesk.emulator.control.door import answer, fields
from paydesk.emulator.kernel.errors import invalid, missing_param
from paydesk.emulator.rules import spans

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from paydesk.emulator.control.door import Door, Fields
    from paydesk.emulator.kernel.sandboxes import Sandbox

PUSH_SECONDS_MAX = 10 * 366 * 24 * 3600


def routes(door: Door) -> list[Route]:
    async def read(request: Request) -> Response:
        return answer(_clock(door, door.sandbox(request)))

    async def push(request: Request) -> Response:
        sandbox = door.sandbox(request)
        given = await fields(request)
        seconds = _seconds(given, door.kernel.sandboxes.now(sandbox))
        given.end()
        played = await door.clockwork.push(sandbox, seconds)
        return answer({**_clock(door, sandbox), "played": played})

    return [Route("/clock", read), Route("/clock/advance", push, methods=["POST"])]


def _clock(door: Door, sandbox: Sandbox) -> dict[str, Any]:
    now = door.kernel.sandboxes.now(sandbox)
    return {
        "now": now,
        "ahead": now - int(door.kernel.sandboxes.unpushed_now()),
        "target": door.clockwork.target(sandbox),
        "next_due": door.kernel.agenda.next_due(sandbox),
    }


def _seconds(given: Fields, now: int) -> int:
    """How far to push: `by` so much (`1month`), `to` a moment, or so many months, days, hours and so on."""
    names = [name for name in ("by", "to", *spans.UNITS) if given.has(name)]
    if not names:
        raise missing_param("by")
    if "to" in names:
        target = given.whole("to", None, least=now, most=now + PUSH_SECONDS_MAX)
    elif "by" in names:
        target = _after(spans.read(given.text("by")), now, "by")
    else:
        amounts = {name: given.whole(name, None, least=0, most=PUSH_SECONDS_MAX) for name in names}
        target = _after(spans.of(**amounts), now, names[0])
    return target - now


def _after(span: spans.Span | None, now: int, param: str) -> int:
    if span is None:
        raise invalid("Say how far, as in 1month, 10d, 3h, 1 month 2 days or P1M.", param=param)
    try:
        target = span.after(now)
    except OverflowError:
        target = now + PUSH_SECONDS_MAX + 1
    if target > now + PUSH_SECONDS_MAX:
        raise invalid("A clock can be pushed ten years at once.", param=param)
    return target
