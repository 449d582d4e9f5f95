"""The desk's routes, for any web framework.

    for route in routes_of(desk):
        ...                              # mount route.answer at route.path, for route.methods

A route takes what was `Asked` and gives an `Answer`: plain synchronous code that knows no framework. What is left to an
adapter is translation: the request in, the user as the app finds them, the answer out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, TypeVar, cast
from urllib.parse import parse_qs

from paydesk.billing.log import get_logger
from paydesk.billing.web import requests
from paydesk.billing.web.account import Step
from paydesk.billing.web.admin.admin import PATH as ADMIN
from paydesk.billing.web.admin.admin import ROOMS, Admin
from paydesk.billing.web.answers import Answer, page, refused, sent
from paydesk.billing.web.operations import Operations
from paydesk.billing.web.requests import Refusal, Subscribing, Wish
from paydesk.billing.web.webhook import answer_to
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
    from collections.abc import Callable, Iterator, Mapping

    from paydesk.billing.customers import Payer
    from paydesk.billing.desk import Paydesk

logger = get_logger(__name__)

W = TypeVar("W", Wish, Subscribing)

WEBHOOK = "webhook"


@dataclass(frozen=True)
class Asked:
    """A request. `headers` are looked up by lower-case names, `query` is as it stands in the address, undecoded.

    `body` is None if it is larger than the route takes; nobody needs to have read it to its end then.
    """

    method: str
    headers: Mapping[str, str]
    query: str = ""
    body: bytes | None = b""
    user: Payer | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Route:
    """One address of the desk. `path` has the desk's prefix; `body_bytes_max` is 0 where no body is read.

    `is_for_people`: who is asking matters. Stripe's webhook is for nobody, and carries no cookie or token of anybody's:
    a framework that guards forms by one leaves it alone. The same goes for what machines ask.
    """

    name: str
    path: str
    methods: tuple[str, ...]
    answer: Callable[[Asked], Answer] = field(repr=False)
    body_bytes_max: int = 0
    is_for_people: bool = True


def routes_of(desk: Paydesk) -> tuple[Route, ...]:
    """All routes, the most frequent first. GET includes HEAD; another method is the framework's 405."""
    routes, machines = _Routes(desk), Operations(desk)
    at, form = desk.prefix, requests.FORM_BYTES_MAX
    return (
        Route(
            WEBHOOK,
            f"{at}/webhooks/stripe",
            ("POST",),
            routes.webhook,
            body_bytes_max=desk.webhook_bytes_max,
            is_for_people=False,
        ),
        Route("pricing", f"{at}/pricing", ("GET",), routes.pricing),
        Route("checkout", f"{at}/checkout", ("POST",), routes.checkout, body_bytes_max=form),
        Route("subscribe", f"{at}/subscribe", ("POST",), routes.subscribe, body_bytes_max=form),
        Route("thanks", f"{at}/thanks", ("GET",), routes.thanks),
        Route("account", f"{at}/account", ("GET",), routes.account),
        Route("portal", f"{at}/billing-portal", ("GET", "POST"), routes.portal),
        Route("health", f"{at}/paydesk/health", ("GET",), machines.health, is_for_people=False),
        Route("metrics", f"{at}/paydesk/metrics", ("GET",), machines.metrics, is_for_people=False),
        *_admin_of(desk),
    )


def _admin_of(desk: Paydesk) -> Iterator[Route]:
    admin = Admin(desk)
    for room in ROOMS:
        methods = ("GET",) if room.act is None else ("GET", "POST")
        yield Route(
            f"admin_{room.name}",
            f"{desk.prefix}{ADMIN}{room.path}",
            methods,
            partial(admin.answer, room),
            body_bytes_max=requests.FORM_BYTES_MAX if room.act is not None else 0,
        )


def read_up_to(bytes_max: int, declared: str | None, read: Callable[[int], bytes]) -> bytes | None:
    """A body from a file-like input, or None as soon as it is known to be larger than it may be.

    `declared` is the Content-Length header, if there is one; `read` gives at most so many bytes, and none at the end.
    """
    if bytes_max == 0:
        return b""
    if declared is not None and declared.isdigit() and int(declared) > bytes_max:
        return None
    chunks: list[bytes] = []
    left = bytes_max + 1
    while left and (chunk := read(left)):
        chunks.append(chunk)
        left -= len(chunk)
    return b"".join(chunks) if left else None


class _Routes:
    def __init__(self, desk: Paydesk) -> None:
        self._desk = desk

    def webhook(self, asked: Asked) -> Answer:
        """Keep what Stripe tells: it is on disk when this answers 200."""
        status, body = answer_to(self._desk, asked.body, asked.headers.get("stripe-signature"))
        return Answer(status, {"Content-Type": requests.JSON}, body)

    def pricing(self, asked: Asked) -> Answer:
        """What is for sale, and what of it the person has."""
        desk, catalog, user = self._desk, self._desk.catalog, asked.user
        holdings = desk.account(user, limit=1).holdings if user is not None and catalog.plans else ()
        html = desk.pages.pricing(
            catalog.products.values(),
            catalog.plans_for_sale,
            holdings=holdings,
            can_switch=bool(catalog.portal.switch),
        )
        return page(html, is_stored=user is None)

    def checkout(self, asked: Asked) -> Answer:
        """Start a purchase: answers the address of Stripe's page, to scripts as JSON, to forms as a redirect."""
        is_form = not _wants_json(asked)
        wish = self._wished(asked, requests.wish)
        if isinstance(wish, Refusal):
            return self._refuse(wish, is_form)
        try:
            url = self._desk.checkout(wish.sku, user=asked.user, quantity=cast("int", wish.quantity)).url
        except PaydeskError as error:
            if not isinstance(error, UnknownProduct):
                logger.warning("a checkout was not started: %s", error)
            return self._refuse(requests.refusal_of(error), is_form)
        return sent(url, is_form=is_form)

    def subscribe(self, asked: Asked) -> Answer:
        """Start a subscription: answers the address of Stripe's page, or of the portal to whoever has one already."""
        is_form = not _wants_json(asked)
        wish = self._wished(asked, requests.subscribing)
        if isinstance(wish, Refusal):
            return self._refuse(wish, is_form)
        user = asked.user
        if user is None:
            return self._refuse(requests.SIGNED_OUT, is_form)
        try:
            seats = cast("int | None", wish.seats)
            url = self._desk.subscribe(wish.plan, user=user, seats=seats, interval=wish.interval).url
        except AlreadySubscribed as error:
            step = Step("See to your plan", self._portal_of(user), is_urging=True)
            return self._refuse(requests.refusal_of(error), is_form, step)
        except PaydeskError as error:
            if not isinstance(error, UnknownPlan | IntervalRefused | SeatsRefused):
                logger.warning("a subscription was not started: %s", error)
            return self._refuse(requests.refusal_of(error), is_form)
        return sent(url, is_form=is_form)

    def thanks(self, asked: Asked) -> Answer:
        """Where Stripe sends the customer afterwards: looks the payment up, and fulfils it if nobody has yet."""
        session_id = requests.session_id(_queried(asked, "session_id"))
        if session_id is None:
            return self._refuse(requests.NOT_FOUND, is_form=True)
        try:
            return page(self._thanks(session_id, asked.user))
        except OrderNotFound:
            return self._refuse(requests.NOT_FOUND, is_form=True)

    def account(self, asked: Asked) -> Answer:
        """What the person has: plans and invoices."""
        desk = self._desk
        if asked.user is None:
            return self._refuse(requests.SIGNED_OUT, is_form=True)
        return page(desk.pages.account(desk.account(asked.user), desk.catalog.portal))

    def portal(self, asked: Asked) -> Answer:
        """On to Stripe's portal: the address for scripts, a redirect for everybody else."""
        is_form = not _wants_json(asked)
        if asked.method == "POST" and requests.is_cross_site(asked.headers, self._desk.settings.origin):
            return self._refuse(requests.CROSS_SITE, is_form)
        if asked.user is None:
            return self._refuse(requests.SIGNED_OUT, is_form)
        try:
            to, slot = requests.destination(_queried(asked, "to")), requests.slot(_queried(asked, "slot"))
            url = self._desk.portal(asked.user, to=to, slot=slot)
        except PaydeskError as error:
            if not isinstance(error, NothingToManage):
                logger.warning("the portal was not opened: %s", error)
            return self._refuse(requests.refusal_of(error), is_form)
        return sent(url, is_form=is_form)

    def _wished(self, asked: Asked, read: Callable[[str, bytes], W | Refusal]) -> W | Refusal:
        """What a form or script of the app's own site asks for."""
        if requests.is_cross_site(asked.headers, self._desk.settings.origin):
            return requests.CROSS_SITE
        if asked.body is None:
            return requests.TOO_LARGE
        return read(asked.headers.get("content-type", ""), asked.body)

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

    def _refuse(self, refusal: Refusal, is_form: bool, way_out: Step | None = None) -> Answer:
        return refused(self._desk.pages, refusal, is_form=is_form, way_out=way_out)


def _must_be(user: Payer | None, owner: str, session_id: str) -> None:
    if user is None or str(user.id) != owner:
        raise OrderNotFound(session_id)


def _wants_json(asked: Asked) -> bool:
    """Scripts send JSON, or say that they want it back; browsers send forms."""
    is_sent = asked.headers.get("content-type", "").partition(";")[0].strip().lower() == requests.JSON
    return is_sent or asked.headers.get("accept", "").startswith(requests.JSON)


def _queried(asked: Asked, name: str) -> str | None:
    """What stands in the address under this name, if it stands there once."""
    try:
        found = parse_qs(asked.query, max_num_fields=50).get(name, [])
    except ValueError:
        return None
    return found[0] if len(found) == 1 else None
