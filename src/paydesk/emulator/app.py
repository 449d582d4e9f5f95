"""The local Stripe as one ASGI application: the API, the hosted pages and the controls."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Mount

from paydesk.emulator.kernel.errors import StripeError, unexpected, unrecognized_url
from paydesk.emulator.kernel.http import Api
from paydesk.emulator.kernel.kernel import Kernel, Options
from paydesk.emulator.kernel.store import Store
from paydesk.emulator.resources import RESOURCES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from starlette.requests import Request

# How long the agenda may sleep: a machine that was suspended must not miss what fell due.
LONGEST_SLEEP_SECONDS = 30.0


def create_app(folder: Path | None, options: Options = Options()) -> Starlette:
    """The server, with its state in `folder` or, for None, in memory."""
    kernel = Kernel(Store(folder), RESOURCES, options)
    api = Api(kernel)

    async def not_found(request: Request, error: Exception) -> Response:
        return _stripe_says(api, unrecognized_url(request.method, request.url.path))

    async def crashed(request: Request, error: Exception) -> Response:
        return _stripe_says(api, error if isinstance(error, StripeError) else unexpected())

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        agenda = asyncio.create_task(_play_agenda(kernel))
        yield
        agenda.cancel()
        with suppress(asyncio.CancelledError):
            await agenda
        kernel.request_log.flush()
        kernel.store.close()

    return Starlette(
        routes=[Mount("/v1", app=api)],
        exception_handlers={404: not_found, 405: not_found, StripeError: crashed, 500: crashed},
        lifespan=lifespan,
    )


async def _play_agenda(kernel: Kernel) -> None:
    """Do what is due when it is due, and write the request log behind the answers."""
    changed = asyncio.Event()
    kernel.listeners.append(changed.set)
    while True:
        kernel.play_due()
        kernel.request_log.flush()
        wait = kernel.seconds_until_due()
        with suppress(TimeoutError):
            await asyncio.wait_for(
                changed.wait(), min(wait if wait is not None else LONGEST_SLEEP_SECONDS, LONGEST_SLEEP_SECONDS)
            )
        changed.clear()


def _stripe_says(api: Api, refusal: StripeError) -> Response:
    answered = api.refuse(refusal)
    return Response(answered.body, answered.status, dict(answered.headers))
