"""`/_local/clock`: the time in a sandbox, and pushing it forward."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from paydesk.emulator.control.door import answer, fields

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from paydesk.emulator.control.door import Door
    from paydesk.emulator.kernel.sandboxes import Sandbox

PUSH_SECONDS_MAX = 10 * 366 * 24 * 3600


def routes(door: Door) -> list[Route]:
    async def read(request: Request) -> Response:
        return answer(_clock(door, door.sandbox(request)))

    async def push(request: Request) -> Response:
        sandbox = door.sandbox(request)
        given = await fields(request)
        seconds = given.whole("seconds", None, least=0, most=PUSH_SECONDS_MAX)
        given.end()
        played = await door.clockwork.push(sandbox, seconds)
        return answer({**_clock(door, sandbox), "played": played})

    return [Route("/clock", read), Route("/clock/advance", push, methods=["POST"])]


def _clock(door: Door, sandbox: Sandbox) -> dict[str, int]:
    now = door.kernel.sandboxes.now(sandbox)
    return {"now": now, "ahead": now - int(door.kernel.sandboxes.unpushed_now())}
