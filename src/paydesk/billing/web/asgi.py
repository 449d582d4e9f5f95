"""The desk as an ASGI application: for Starlette, Litestar, and whatever else can mount one.

    app = Starlette(routes=[…, Mount("/", desk.asgi(user=current_user))], lifespan=desk.lifespan)

It needs nothing but the standard library. `current_user` gets the connection's scope, in which sessions and the
framework's own sign-in have put what they know.
"""

from __future__ import annotations

import asyncio
import inspect
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from paydesk.billing.web.answers import Answer
from paydesk.billing.web.gates import Gate
from paydesk.billing.web.routes import WEBHOOK, Asked, Route, routes_of
from paydesk.billing.web.webhook import Disconnected, Webhook, read_body

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    from paydesk.billing.customers import Payer
    from paydesk.billing.desk import Paydesk
    from paydesk.billing.web.gates import Shut
    from paydesk.billing.web.webhook import Receive, Send

    Scope = MutableMapping[str, Any]
    FindUser = Callable[[Scope], Payer | Awaitable[Payer | None] | None]
    AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

# Where a gate leaves the user it let pass, in the scope.
USER = "paydesk.user"

NOT_FOUND = Answer(404, {"Content-Type": "text/plain; charset=utf-8"}, b"Not Found")


class Application:
    """The desk's routes, and its worker if the server tells of startup and shutdown."""

    def __init__(self, desk: Paydesk, find_user: FindUser | None) -> None:
        self._desk = desk
        self._find_user = find_user
        self._webhook = Webhook(desk)
        self._routes = {route.path: route for route in routes_of(desk)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
        elif (route := self._route(scope)) is None:
            await _send(scope, send, NOT_FOUND)
        elif scope["method"] not in _methods(route):
            await _send(scope, send, Answer(405, {"Allow": ", ".join(_methods(route))}))
        elif route.name == WEBHOOK:
            await self._webhook(scope, receive, send)
        else:
            await self._answer(route, scope, receive, send)

    def _route(self, scope: Scope) -> Route | None:
        """The route at this path below the mount, which may be at the very prefix that the desk has."""
        root = scope.get("root_path", "").rstrip("/")
        # Some routers take the mount out of the path and say so nowhere; what was asked for is still in raw_path.
        for path in (scope["path"], (scope.get("raw_path") or b"").decode("latin-1")):
            for above in (root, root.removesuffix(self._desk.prefix)):
                if route := self._routes.get(f"/{path.strip('/')}".removeprefix(above)):
                    return route
        return None

    async def _answer(self, route: Route, scope: Scope, receive: Receive, send: Send) -> None:
        headers = _headers(scope)
        try:
            declared = headers.get("content-length", "").encode("latin-1")
            body = await read_body(receive, declared, route.body_bytes_max) if route.body_bytes_max else b""
        except Disconnected:
            return
        user = await _found(self._find_user, scope) if route.is_for_people else None
        asked = Asked(scope["method"], headers, scope.get("query_string", b"").decode("latin-1"), body, user)
        await _send(scope, send, await asyncio.to_thread(route.answer, asked))

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            async with self._desk.lifespan(self):
                await send({"type": "lifespan.startup.complete"})
                await receive()
        except Exception as error:
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            raise
        await send({"type": "lifespan.shutdown.complete"})


class Gated:
    """An application that only those reach whose plan allows it."""

    def __init__(self, desk: Paydesk, code: str, app: AsgiApp, find_user: Callable[[], FindUser | None]) -> None:
        self._gate = Gate(desk, code)
        self._app = app
        self._find_user = find_user

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            user = await _found(self._find_user(), scope)
            if (shut := await asyncio.to_thread(self._gate.shut_for, user)) is not None:
                await self._refuse(shut, scope, send)
                return
            scope[USER] = user
        await self._app(scope, receive, send)

    async def _refuse(self, shut: Shut, scope: Scope, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": shut.message})
        else:
            await _send(scope, send, self._gate.answer(shut, _headers(scope)))


def _methods(route: Route) -> tuple[str, ...]:
    return (*route.methods, "HEAD") if "GET" in route.methods else route.methods


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


async def _found(find_user: FindUser | None, scope: Scope) -> Payer | None:
    """Who is asking, by the app's own function."""
    if find_user is None:
        return None
    if inspect.iscoroutinefunction(find_user):
        found: Any = find_user(scope)
    else:
        found = await asyncio.to_thread(partial(find_user, scope))
    return cast("Payer | None", await found if inspect.isawaitable(found) else found)


async def _send(scope: Scope, send: Send, answer: Answer) -> None:
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers.items()]
    headers.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else answer.body})
