"""`POST /_local/webhook_endpoints/{id}/roll_secret`: a new signing secret, as the Dashboard would give one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from paydesk.emulator.control.door import answer, fields
from paydesk.emulator.deliveries import secrets
from paydesk.emulator.resources.webhook_endpoint import with_secret

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from paydesk.emulator.control.door import Door
    from paydesk.emulator.kernel.world import World


def routes(door: Door) -> list[Route]:
    async def roll(request: Request) -> Response:
        sandbox = door.sandbox(request)
        given = await fields(request)
        overlap = given.whole("overlap_seconds", 0, least=0, most=secrets.OVERLAP_SECONDS_MAX)
        given.end()

        def work(world: World) -> dict[str, Any]:
            endpoint = world.get("webhook_endpoint", request.path_params["id"])
            return with_secret(endpoint, secrets.roll(world, endpoint, overlap))

        return answer(door.kernel.within(sandbox, work))

    return [Route("/webhook_endpoints/{id}/roll_secret", roll, methods=["POST"])]
