"""What a desk offers to the web: its routes and its gates, and its worker for as long as the app runs."""

from __future__ import annotations

import asyncio
import sys
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from fastapi import APIRouter

    from paydesk.billing.desk import Paydesk
    from paydesk.billing.settings import Settings
    from paydesk.billing.web.asgi import AsgiApp
    from paydesk.billing.web.asgi import FindUser as FindAsgiUser
    from paydesk.billing.web.fastapi import FindUser


class Front(ABC):
    """A desk that can be put before people."""

    settings: Settings
    _find_user: FindUser | None = None
    _find_asgi_user: FindAsgiUser | None = None

    @abstractmethod
    def open(self) -> None:
        """Make ready for use."""

    @abstractmethod
    def start(self) -> None:
        """Start the worker's threads."""

    @abstractmethod
    def stop(self) -> None:
        """Stop them."""

    @asynccontextmanager
    async def lifespan(self, app: object) -> AsyncIterator[None]:
        """The worker, for as long as the app runs: `FastAPI(lifespan=desk.lifespan)`.

        If PAYDESK_WORKER is 0, the app only receives, and `paydesk worker` does the work elsewhere.
        """
        await asyncio.to_thread(self.start if self.settings.is_working else self.open)
        try:
            with self._shortcut(app):
                yield
        finally:
            await asyncio.to_thread(self.stop)

    def router(self, *, user: FindUser | None = None) -> APIRouter:
        """The routes for FastAPI, below the desk's prefix.

        They are /pricing, /checkout, /subscribe, /thanks, /account, /billing-portal, /webhooks/stripe, and
        /paydesk/health and /paydesk/metrics for machines, and /paydesk/admin for whom `admin` lets in.

        `user` finds out who is asking: a function or coroutine of the request that answers the app's user (anything
        with `id` and `email`) or None. Without it, everybody is a guest.
        """
        from paydesk.billing.web.fastapi import build_router

        self._find_user = user
        return build_router(self._desk, user)

    def require(self, code: str, *, user: FindUser | None = None) -> Callable[..., Any]:
        """A dependency for FastAPI that lets only those pass whose plan allows `code`: `Depends(desk.require("pro"))`.

        It answers the user, whom `user` finds, or else the function that `router` was given. Whoever is not signed in
        gets a 401. Whose plan is on hold gets a 402, or in a browser the account page; who has no such plan gets a
        403, or in a browser the pricing page. Raises UnknownFeature.
        """
        from paydesk.billing.web.fastapi import build_gate

        return build_gate(self._desk, code, lambda: user or self._find_user)

    def asgi(self, *, user: FindAsgiUser | None = None) -> AsgiApp:
        """The same routes as an ASGI application, to mount in Starlette, Litestar or any other such framework.

        Mount it at "/", after the app's own routes, or at the desk's prefix. `user` finds out who is asking: a function
        or coroutine of the connection's scope that answers the app's user or None. The worker lives in the app's own
        lifespan, `Starlette(lifespan=desk.lifespan)`; served by itself, the application has it in its own.
        """
        from paydesk.billing.web.asgi import Application

        self._find_asgi_user = user
        return Application(self._desk, user)

    def gate(self, app: AsgiApp, code: str, *, user: FindAsgiUser | None = None) -> AsgiApp:
        """An ASGI application that only those reach whose plan allows `code`: `Middleware(desk.gate, code="pro")`.

        The others are answered as by `require`, people with a page. `user` finds out who is asking, or else the
        function that `asgi` was given; who passed is in the scope as "paydesk.user". Raises UnknownFeature.
        """
        from paydesk.billing.web.asgi import Gated

        return Gated(self._desk, code, app, lambda: user or self._find_asgi_user)

    def _shortcut(self, app: object) -> AbstractContextManager[None]:
        if "fastapi" not in sys.modules:
            return nullcontext()
        from paydesk.billing.web.shortcut import shortcut

        return shortcut(app, self._desk)

    @property
    def _desk(self) -> Paydesk:
        return cast("Paydesk", self)
