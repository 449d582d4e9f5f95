"""`/_local/clock`: the time in a sandbox, and pushing it forward."""

from __future__ import annotations

import asyncio
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
    pushing = asyncio.Lock()

    async def read(request: Request) -> Response:
        return answer(_clock(door, door.sandbox(request)))

    async def push(request: Request) -> Response:
        sandbox = door.sandbox(request)
        given = await fields(request)
        seconds = given.whole("seconds", None, least=0, most=PUSH_SECONDS_MAX)
        given.end()
        async with pushing:
            played = await advance(door, sandbox, seconds)
        return answer({**_clock(door, sandbox), "played": played})

    return [Route("/clock", read), Route("/clock/advance", push, methods=["POST"])]


async def advance(door: Door, sandbox: Sandbox, seconds: int) -> int:
    """Push a sandbox's clock forward, stopping wherever something is due: what the sandbox does by itself happens,
    and what it tells of is delivered, before time goes on. Says how many things happened, deliveries not counted.
    """
    agenda, sandboxes, sender = door.kernel.agenda, door.kernel.sandboxes, door.sender
    target = sandboxes.now(sandbox) + seconds
    played = 0
    await sender.settle(sandbox)
    while True:
        stops = [due for due in (agenda.next_due(sandbox), sender.next_due(sandbox)) if due is not None]
        stop = min([*stops, target])
        played += agenda.advance(sandbox, max(0, stop - sandboxes.now(sandbox)))
        await sender.settle(sandbox)
        if stop == target:
            return played


def _clock(door: Door, sandbox: Sandbox) -> dict[str, int]:
    now = door.kernel.sandboxes.now(sandbox)
    return {"now": now, "ahead": now - int(door.kernel.sandboxes.unpushed_now())}
