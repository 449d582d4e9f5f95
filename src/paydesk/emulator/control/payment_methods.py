"""`POST /_local/payment_methods/{id}/behave`: a saved card turns bad, or good again.

Most of Stripe's test cards that decline cannot be saved. `{"as": "pm_card_chargeDeclinedLostCard"}` rehearses one that
was lost afterwards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from paydesk.emulator.control.door import answer, fields
from paydesk.emulator.kernel.errors import invalid
from paydesk.emulator.rules import cards

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from paydesk.emulator.control.door import Door
    from paydesk.emulator.kernel.world import World


def routes(door: Door) -> list[Route]:
    async def behave(request: Request) -> Response:
        sandbox = door.sandbox(request)
        given = await fields(request)
        name = given.text("as")
        given.end()
        card = cards.by_alias(name.removeprefix("pm_card_"))
        if card is None:
            raise invalid(f"No such test card: '{name}'", param="as")

        def work(world: World) -> dict[str, Any]:
            method = world.get("payment_method", request.path_params["id"])
            if method["type"] != "card":
                raise invalid(f"{method.id} is no card, but a {method['type']}.")
            # What is shown of it, its last digits and its brand, stays.
            method.private["number"] = card.number
            world.save(method)
            return method

        return answer(door.kernel.within(sandbox, work))

    return [Route("/payment_methods/{id}/behave", behave, methods=["POST"])]
