"""The desk's routes for FastAPI.

    app = FastAPI(lifespan=desk.lifespan)
    app.include_router(desk.router(user=current_user))

In the router they are plain routes of Starlette's: a webhook needs its raw bytes, and nothing
here gains from being parsed by anyone else.
"""

from __future__ import annotations

import inspect
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from fastapi import APIRouter, HTTPException
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from paydesk.billing.web.gates import Gate, Shut, is_person
from paydesk.billing.web.routes import WEBHOOK, Asked, routes_of
from paydesk.billing.web.webhook import Disconnected, Webhook, read_body

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from paydesk.billing.customers import Payer
    from paydesk.billing.desk import Paydesk
    from paydesk.billing.web import routes

    FindUser = Callable[[Request], Payer | Awaitable[Payer | None] | None]
    Endpoint = Callable[[Request], Awaitable[Response]]


def build_router(desk: Paydesk, find_user: FindUser | None) -> APIRouter:
    """The routes of this desk, below its prefix."""
    router = APIRouter()
    for route in routes_of(desk):
        # The webhook is called more than all others together: it is met first, and goes the shortest way.
        endpoint = Webhook(desk) if route.name == WEBHOOK else _endpoint(route, find_user)
        router.routes.append(Route(route.path, endpoint, methods=[*route.methods], name=f"paydesk_{route.name}"))
    return router


def build_gate(desk: Paydesk, code: str, find_user: Callable[[], FindUser | None]) -> Callable[..., Any]:
    """A dependency that answers the user who may pass, and nobody else."""
    gate = Gate(desk, code)

    async def passing(request: Request) -> Payer:
        user = await _found(find_user(), request)
        shut = await run_in_threadpool(gate.shut_for, user)
        if shut is not None:
            raise _refusal(shut, request)
        return cast("Payer", user)

    return passing


def _endpoint(route: routes.Route, find_user: FindUser | None) -> Endpoint:
    async def answer(request: Request) -> Response:
        body = await _body(request, route.body_bytes_max)
        user = await _found(find_user, request) if route.is_for_people else None
        asked = Asked(request.method, request.headers, request.scope["query_string"].decode("latin-1"), body, user)
        answered = await run_in_threadpool(route.answer, asked)
        return Response(answered.body, answered.status, {**answered.headers})

    return answer


def _refusal(shut: Shut, request: Request) -> HTTPException:
    """As FastAPI refuses: an exception, which the app may handle in its own way."""
    if shut.url is None:
        return HTTPException(shut.status, shut.reason)
    if is_person(request.headers):
        return HTTPException(303, shut.reason, {"Location": shut.url})
    return HTTPException(shut.status, {**shut.reason, "url": shut.url})


async def _found(find_user: FindUser | None, request: Request) -> Payer | None:
    """Who is asking, by the app's own function."""
    if find_user is None:
        return None
    if inspect.iscoroutinefunction(find_user):
        found: Any = find_user(request)
    else:
        found = await run_in_threadpool(partial(find_user, request))
    return cast("Payer | None", await found if inspect.isawaitable(found) else found)


async def _body(request: Request, bytes_max: int) -> bytes | None:
    """The raw body, or None when it is larger than it may be. Raises ClientDisconnect."""
    if bytes_max == 0:
        return b""
    try:
        return await read_body(request.receive, request.headers.get("content-length", "").encode("latin-1"), bytes_max)
    except Disconnected as gone:
        raise ClientDisconnect from gone
