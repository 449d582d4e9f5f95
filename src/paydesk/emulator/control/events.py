"""`/_local/events/{id}`: how an event's deliveries went, and sending it once more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from paydesk.emulator.control.door import answer, fields
from paydesk.emulator.deliveries import attempts
from paydesk.emulator.kernel.routes import Call, words
from paydesk.emulator.kernel.routes import Route as ApiRoute

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from paydesk.emulator.control.door import Door
    from paydesk.emulator.deliveries.outbox import Outbox
    from paydesk.emulator.kernel.document import Document


def routes(door: Door) -> list[Route]:
    async def deliveries(request: Request) -> Response:
        sandbox = door.sandbox(request)
        event = door.kernel.within(sandbox, lambda world: world.get("event", request.path_params["id"]))
        made = attempts.of_event(door.kernel.store.db, sandbox.number, event.id)
        return answer({"event": event.id, "type": event["type"], "deliveries": made})

    async def resend(request: Request) -> Response:
        sandbox = door.sandbox(request)
        given = await fields(request)
        endpoint = given.text("webhook_endpoint", "")
        given.end()

        def work(world: Any) -> dict[str, Any]:
            event = world.get("event", request.path_params["id"])
            return {"event": event.id, "sent_to": door.outbox.resend(world, event, endpoint or None)}

        return answer(door.kernel.within(sandbox, work))

    return [
        Route("/events/{id}/deliveries", deliveries),
        Route("/events/{id}/resend", resend, methods=["POST"]),
    ]


def retry_route(outbox: Outbox) -> ApiRoute:
    """`POST /v1/events/{id}/retry`, which no SDK knows: `stripe events resend` of the Stripe CLI calls it."""

    def retry(call: Call) -> Document:
        event = call.world.get("event", call.path["id"])
        outbox.resend(call.world, event, call.params.get("webhook_endpoint"))
        return event

    return ApiRoute(
        "POST", "/v1/events/{id}/retry", retry, uses=words("webhook_endpoint"), area="event", is_listed=False
    )
