"""`POST /_local/charges/{id}/dispute`: a payer goes to their bank, weeks after a payment by any card.

Stripe's test cards are disputed at once. `{"reason": "product_not_received"}` is said instead of "fraudulent".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from paydesk.emulator.control.door import answer, fields
from paydesk.emulator.resources import dispute

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from paydesk.emulator.control.door import Door
    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World


def routes(door: Door) -> list[Route]:
    async def open_dispute(request: Request) -> Response:
        sandbox = door.sandbox(request)
        given = await fields(request)
        reason = given.choice("reason", "fraudulent", among=dispute.REASONS)
        given.end()

        def work(world: World) -> Document:
            return dispute.open_now(world, world.get("charge", request.path_params["id"]), reason)

        return answer(door.kernel.within(sandbox, work))

    return [Route("/charges/{id}/dispute", open_dispute, methods=["POST"])]
