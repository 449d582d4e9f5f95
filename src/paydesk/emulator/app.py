"""The local Stripe as one ASGI application: the API, the hosted pages and the controls."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Mount

from paydesk.emulator import control
from paydesk.emulator.clockwork import Clockwork
from paydesk.emulator.control.door import Door
from paydesk.emulator.control.events import retry_route
from paydesk.emulator.deliveries.outbox import Outbox
from paydesk.emulator.deliveries.sender import Sender
from paydesk.emulator.faults.armory import Armory
from paydesk.emulator.kernel.clock import Now, real
from paydesk.emulator.kernel.errors import StripeError, unexpected, unrecognized_url
from paydesk.emulator.kernel.http import Api
from paydesk.emulator.kernel.kernel import Kernel, Options
from paydesk.emulator.kernel.store import Store
from paydesk.emulator.pages import routes
from paydesk.emulator.resources import RESOURCES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

    from paydesk.emulator.faults.armory import Order

HOUSE_SECONDS = 1.0


def create_app(
    folder: Path | None, options: Options = Options(), faults: Sequence[Order] = (), *, now: Now = real
) -> Front:
    """The server, with its state in `folder` or, for None, in memory.

    Every sandbox begins with the `faults`; `now` is the time of those that nobody pushed.
    """
    kernel = Kernel(Store(folder), RESOURCES, options, now=now)
    armory = Armory(faults)
    outbox = Outbox(armory.at_delivery)
    kernel.announce = outbox.announce
    sender = Sender(kernel, outbox, anywhere=options.deliver_anywhere, timeout_seconds=options.delivery_timeout_seconds)
    clockwork = Clockwork(kernel, sender)
    kernel.table.add(retry_route(outbox))
    api = Api(kernel, armory.at_request)
    controls = Mount("/_local", routes=control.routes(Door(kernel, outbox, sender, armory, clockwork)))

    async def not_found(request: Request, error: Exception) -> Response:
        return _stripe_says(api, unrecognized_url(request.method, request.url.path))

    async def crashed(request: Request, error: Exception) -> Response:
        return _stripe_says(api, error if isinstance(error, StripeError) else unexpected())

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        running = [asyncio.create_task(task) for task in (clockwork.run(), _keep_house(kernel), sender.run())]
        yield
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        kernel.request_log.flush()
        kernel.store.close()

    pages = Starlette(
        routes=[controls, *routes(kernel, sender.answered)],
        exception_handlers={404: not_found, 405: not_found, StripeError: crashed, 500: crashed},
        lifespan=lifespan,
    )
    return Front(api, pages, sender)


class Front:
    """Sends API calls straight to the kernel, and everything else to the pages."""

    def __init__(self, api: Api, pages: Starlette, sender: Sender) -> None:
        self.api = api
        self.pages = pages
        self.sender = sender

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/v1/"):
            await self.api(scope, receive, send)
        else:
            await self.pages(scope, receive, send)


async def _keep_house(kernel: Kernel) -> None:
    """Write the request log behind the answers, and fold the store's log when nobody waits for it."""
    while True:
        await asyncio.sleep(HOUSE_SECONDS)
        kernel.request_log.flush()
        kernel.store.rest()


def _stripe_says(api: Api, refusal: StripeError) -> Response:
    answered = api.refuse(refusal)
    return Response(answered.body, answered.status, dict(answered.headers), "application/json")
