"""The desk's routes for FastAPI and Starlette.

    app = FastAPI(lifespan=desk.lifespan)
    app.include_router(desk.router(user=current_user))

They are plain Starlette routes: a webhook needs its raw bytes, and nothing
here gains from being parsed by anyone else.
"""

from __future__ import annotations

import inspect
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

from fastapi import APIRouter, HTTPException
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from paydesk.billing.log import get_logger
from paydesk.billing.web import requests
from paydesk.billing.web.account import Step
from paydesk.billing.web.requests import Refusal, Subscribing, Wish
from paydesk.billing.web.webhook import Disconnected, Webhook, read_body
from paydesk.errors import (
    AlreadySubscribed,
    IntervalRefused,
    NothingToManage,
    OrderNotFound,
    PaydeskError,
    SeatsRefused,
    UnknownPlan,
    UnknownProduct,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from paydesk.billing.customers import Payer
    from paydesk.billing.desk import Paydesk

    FindUser = Callable[[Request], Payer | Awaitable[Payer | None] | None]

logger = get_logger(__name__)

W = TypeVar("W", Wish, Subscribing)

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    # A button that starts a payment is not shown inside somebody else's page.
    "Content-Security-Policy": "frame-ancestors 'none'",
    # The thanks page's address names a session: other websites do not need to know it.
    "Referrer-Policy": "strict-origin-when-cross-origin",
}
NOT_STORED = {"Cache-Control": "no-store"}


def build_router(desk: Paydesk, find_user: FindUser | None) -> APIRouter:
    """The routes of this desk, below its prefix."""
    routes = _Routes(desk, find_user)
    router = APIRouter()
    # First: routes are tried in their order, and this one is called more often than all others together.
    webhook = Route(f"{desk.prefix}/webhooks/stripe", Webhook(desk), methods=["POST"], name="paydesk_webhook")
    router.routes.append(webhook)
    router.add_route(f"{desk.prefix}/pricing", routes.pricing, methods=["GET"], name="paydesk_pricing")
    router.add_route(f"{desk.prefix}/checkout", routes.checkout, methods=["POST"], name="paydesk_checkout")
    router.add_route(f"{desk.prefix}/subscribe", routes.subscribe, methods=["POST"], name="paydesk_subscribe")
    router.add_route(f"{desk.prefix}/thanks", routes.thanks, methods=["GET"], name="paydesk_thanks")
    router.add_route(f"{desk.prefix}/account", routes.account, methods=["GET"], name="paydesk_account")
    router.add_route(f"{desk.prefix}/billing-portal", routes.portal, methods=["GET", "POST"], name="paydesk_portal")
    return router


def build_gate(desk: Paydesk, code: str, find_user: Callable[[], FindUser | None]) -> Callable[..., Any]:
    """A dependency that answers the user who may pass, and nobody else."""

    async def gate(request: Request) -> Payer:
        user = await _found(find_user(), request)
        if user is None:
            raise HTTPException(401, {"code": "signed_out", "message": "Please sign in first."})
        access = await run_in_threadpool(desk.access, user)
        if not access.allows(code):
            raise _shut(desk, request, is_on_hold=access.is_on_hold(code))
        return user

    return gate


def _shut(desk: Paydesk, request: Request, *, is_on_hold: bool) -> HTTPException:
    """A script is told; a person is shown where to mend it: what they owe, or what there is to buy."""
    if is_on_hold:
        status, page = 402, "account"
        reason = {"code": "on_hold", "message": "Your plan is on hold: see to it on your account page."}
    else:
        status, page = 403, "pricing"
        reason = {"code": "not_in_plan", "message": "Your plan does not include this."}
    url = f"{desk.settings.base_url}{desk.prefix}/{page}"
    if "text/html" in request.headers.get("accept", ""):
        return HTTPException(303, reason, {"Location": url})
    return HTTPException(status, {**reason, "url": url})


async def _found(find_user: FindUser | None, request: Request) -> Payer | None:
    """Who is asking, by the app's own function."""
    if find_user is None:
        return None
    if inspect.iscoroutinefunction(find_user):
        found: Any = find_user(request)
    else:
        found = await run_in_threadpool(partial(find_user, request))
    return cast("Payer | None", await found if inspect.isawaitable(found) else found)


class _Routes:
    def __init__(self, desk: Paydesk, find_user: FindUser | None) -> None:
        self._desk = desk
        self._find_user = find_user

    async def pricing(self, request: Request) -> Response:
        """What is for sale, and what of it the person has."""
        user = await _found(self._find_user, request)
        html = await run_in_threadpool(self._pricing, user)
        return HTMLResponse(html, headers=HEADERS if user is None else {**HEADERS, **NOT_STORED})

    async def checkout(self, request: Request) -> Response:
        """Start a purchase: answers the address of Stripe's page, to scripts as JSON, to forms as a redirect."""
        is_form = not _wants_json(request)
        wish = await self._wished(request, requests.wish)
        if isinstance(wish, Refusal):
            return self._refuse(wish, is_form)
        user = await _found(self._find_user, request)
        try:
            url = await run_in_threadpool(self._start, wish, user)
        except PaydeskError as error:
            if not isinstance(error, UnknownProduct):
                logger.warning("a checkout was not started: %s", error)
            return self._refuse(requests.refusal_of(error), is_form)
        return self._send(url, is_form)

    async def subscribe(self, request: Request) -> Response:
        """Start a subscription: answers the address of Stripe's page, or of the portal to whoever has one already."""
        is_form = not _wants_json(request)
        wish = await self._wished(request, requests.subscribing)
        if isinstance(wish, Refusal):
            return self._refuse(wish, is_form)
        user = await _found(self._find_user, request)
        if user is None:
            return self._refuse(requests.SIGNED_OUT, is_form)
        try:
            url = await run_in_threadpool(self._sign_up, wish, user)
        except AlreadySubscribed as error:
            portal = await run_in_threadpool(self._portal_of, user)
            return self._refuse(requests.refusal_of(error), is_form, Step("See to your plan", portal, is_urging=True))
        except PaydeskError as error:
            if not isinstance(error, UnknownPlan | IntervalRefused | SeatsRefused):
                logger.warning("a subscription was not started: %s", error)
            return self._refuse(requests.refusal_of(error), is_form)
        return self._send(url, is_form)

    async def thanks(self, request: Request) -> Response:
        """Where Stripe sends the customer afterwards: looks the payment up, and fulfils it if nobody has yet."""
        session_id = requests.session_id(request.query_params.get("session_id"))
        if session_id is None:
            return self._refuse(requests.NOT_FOUND, is_form=True)
        user = await _found(self._find_user, request)
        try:
            html = await run_in_threadpool(self._thanks, session_id, user)
        except OrderNotFound:
            return self._refuse(requests.NOT_FOUND, is_form=True)
        return HTMLResponse(html, headers={**HEADERS, **NOT_STORED})

    async def account(self, request: Request) -> Response:
        """What the person has: plans and invoices."""
        user = await _found(self._find_user, request)
        if user is None:
            return self._refuse(requests.SIGNED_OUT, is_form=True)
        desk = self._desk
        html = await run_in_threadpool(lambda: desk.pages.account(desk.account(user), desk.catalog.portal))
        return HTMLResponse(html, headers={**HEADERS, **NOT_STORED})

    async def portal(self, request: Request) -> Response:
        """On to Stripe's portal: the address for scripts, a redirect for everybody else."""
        is_form = not _wants_json(request)
        if request.method == "POST" and requests.is_cross_site(request.headers, self._desk.settings.origin):
            return self._refuse(requests.CROSS_SITE, is_form)
        user = await _found(self._find_user, request)
        if user is None:
            return self._refuse(requests.SIGNED_OUT, is_form)
        to = requests.destination(request.query_params.get("to"))
        try:
            url = await run_in_threadpool(self._desk.portal, user, to=to)
        except PaydeskError as error:
            if not isinstance(error, NothingToManage):
                logger.warning("the portal was not opened: %s", error)
            return self._refuse(requests.refusal_of(error), is_form)
        return self._send(url, is_form)

    async def _wished(self, request: Request, read: Callable[[str, bytes], W | Refusal]) -> W | Refusal:
        """What a form or script of the app's own site asks for."""
        if requests.is_cross_site(request.headers, self._desk.settings.origin):
            return requests.CROSS_SITE
        body = await _body(request, requests.FORM_BYTES_MAX)
        if body is None:
            return requests.TOO_LARGE
        return read(request.headers.get("content-type", ""), body)

    def _send(self, url: str, is_form: bool) -> Response:
        if is_form:
            return RedirectResponse(url, status_code=303, headers={**HEADERS, **NOT_STORED})
        return JSONResponse({"url": url}, headers=NOT_STORED)

    def _pricing(self, user: Payer | None) -> str:
        desk, catalog = self._desk, self._desk.catalog
        holdings = desk.account(user, limit=1).holdings if user is not None and catalog.plans else ()
        return desk.pages.pricing(
            catalog.products.values(),
            catalog.plans_for_sale,
            holdings=holdings,
            can_switch=bool(catalog.portal.switch),
        )

    def _start(self, wish: Wish, user: Payer | None) -> str:
        return self._desk.checkout(wish.sku, user=user, quantity=cast("int", wish.quantity)).url

    def _sign_up(self, wish: Subscribing, user: Payer) -> str:
        seats = cast("int | None", wish.seats)
        return self._desk.subscribe(wish.plan, user=user, seats=seats, interval=wish.interval).url

    def _portal_of(self, user: Payer) -> str:
        """The portal, or, while Stripe cannot be asked, our own address that leads there."""
        try:
            return self._desk.portal(user)
        except PaydeskError as error:
            logger.warning("the portal was not opened: %s", error)
            return f"{self._desk.settings.base_url}{self._desk.prefix}/billing-portal"

    def _thanks(self, session_id: str, user: Payer | None) -> str:
        """The page about what was bought, if it is this person's. Someone else's does not exist for them."""
        desk = self._desk
        signup = desk.look_up_signup(session_id)
        if signup is not None:
            _must_be(user, signup.user_id, session_id)
            return desk.pages.welcome(signup, desk.catalog.plans.get(signup.plan))
        progress = desk.look_up(session_id)
        if progress.order.user_id is not None:
            _must_be(user, progress.order.user_id, session_id)
        return desk.pages.thanks(progress, desk.catalog.products.get(progress.order.sku))

    def _refuse(self, refusal: Refusal, is_form: bool, way_out: Step | None = None) -> Response:
        headers = {**HEADERS, **NOT_STORED}
        if refusal.retry_after_seconds is not None:
            headers["Retry-After"] = str(refusal.retry_after_seconds)
        if is_form:
            pages = self._desk.pages
            page = pages.error(
                refusal.title, refusal.sentence, detail=refusal.detail, tone=refusal.tone, way_out=way_out
            )
            return HTMLResponse(page, status_code=refusal.status, headers=headers)
        error = {"code": refusal.code, "message": refusal.sentence}
        if refusal.detail is not None and not self._desk.settings.livemode:
            error["detail"] = refusal.detail
        answer: dict[str, object] = {"error": error}
        if way_out is not None:
            answer["url"] = way_out.url
        return JSONResponse(answer, status_code=refusal.status, headers=headers)


def _must_be(user: Payer | None, owner: str, session_id: str) -> None:
    if user is None or str(user.id) != owner:
        raise OrderNotFound(session_id)


def _wants_json(request: Request) -> bool:
    """Scripts send JSON, or say that they want it back; browsers send forms."""
    sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return sent == requests.JSON or request.headers.get("accept", "").startswith(requests.JSON)


async def _body(request: Request, bytes_max: int) -> bytes | None:
    """The raw body, or None when it is larger than it may be. Raises ClientDisconnect."""
    try:
        return await read_body(request.receive, request.headers.get("content-length", "").encode("latin-1"), bytes_max)
    except Disconnected as gone:
        raise ClientDisconnect from gone
