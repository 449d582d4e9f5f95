"""`POST /_local/reset`: an empty sandbox, with the faults the server was started with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from paydesk.emulator.control.door import answer

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from paydesk.emulator.control.door import Door


def routes(door: Door) -> list[Route]:
    async def reset(request: Request) -> Response:
        sandbox = door.sandbox(request)
        # The log is written behind the answers: what waits belongs to the time before.
        door.kernel.request_log.flush()
        door.kernel.sandboxes.empty(sandbox)
        door.armory.begin_again(sandbox)
        return answer({"status": "empty"})

    return [Route("/reset", reset, methods=["POST"])]
