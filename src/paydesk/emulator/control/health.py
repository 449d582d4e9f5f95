"""`GET /_local/health`: whether the local Stripe is up, and which API it speaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from paydesk.emulator.control.door import answer

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from paydesk.emulator.control.door import Door


def routes(door: Door) -> list[Route]:
    async def health(request: Request) -> Response:
        return answer({"status": "ok", "server": "paydesk local Stripe", "api_version": door.kernel.api_version})

    return [Route("/health", health)]
