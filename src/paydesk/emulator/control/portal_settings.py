"""`POST /_local/settings/portal`: saves the customer portal's settings, as the Dashboard's button does.

Portal sessions that name no configuration use the default one, and only this makes it. Change it
afterwards as any other: `POST /v1/billing_portal/configurations/{id}`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from paydesk.emulator.control.door import answer, fields
from paydesk.emulator.resources import billing_portal_configuration

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from paydesk.emulator.control.door import Door


def routes(door: Door) -> list[Route]:
    async def save(request: Request) -> Response:
        sandbox = door.sandbox(request)
        (await fields(request)).end()
        return answer(door.kernel.within(sandbox, billing_portal_configuration.save_settings))

    return [Route("/settings/portal", save, methods=["POST"])]
