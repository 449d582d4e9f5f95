"""The bank's page: `/3d_secure_2/hosted`, where a card's holder confirms a payment or refuses to.

It opens to whoever brings the intent's client secret, as the redirect that leads here does.
"""

from __future__ import annotations

import hmac
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from paydesk.emulator.kernel import form
from paydesk.emulator.kernel.errors import StripeError
from paydesk.emulator.pages import checkout, checkout_view, render
from paydesk.emulator.pages.checkout_next import Closed, GoTo, rendered
from paydesk.emulator.resources import checkout_payment
from paydesk.emulator.rules import confirming

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.kernel import Kernel
    from paydesk.emulator.kernel.sandboxes import Sandbox
    from paydesk.emulator.kernel.world import World
    from paydesk.emulator.pages.checkout import CheckoutPage

_KINDS: Final = ("payment_intent", "setup_intent")


class ChallengePage:
    """Asks the card's holder, and takes the answer."""

    def __init__(self, kernel: Kernel, payments: CheckoutPage) -> None:
        self._kernel = kernel
        self._payments = payments

    async def show(self, request: Request) -> Response:
        """GET: the question."""
        found = self._found(request)
        if found is None:
            return render.nothing_here()
        sandbox, kind, identifier = found
        return self._kernel.within(sandbox, lambda world: _question(world, world.get(kind, identifier), request))

    async def answer(self, request: Request) -> Response:
        """POST: Complete, Fail or Cancel. What follows is done before the browser goes on."""
        found = self._found(request)
        body = await render.body(request)
        if found is None or body is None:
            return render.nothing_here()
        sandbox, kind, identifier = found
        try:
            passed = form.decode(body).get("answer") == "complete"
            following = self._kernel.within(
                sandbox, lambda world: _answered(world, world.get(kind, identifier), passed=passed)
            )
        except StripeError:
            # Answered before, or the payment was given up meanwhile: the page says so.
            return await self.show(request)
        return await self._payments.follow(following)

    def _found(self, request: Request) -> tuple[Sandbox, str, str] | None:
        """The sandbox, kind and id of the intent the address names, if it also has its secret."""
        for kind in _KINDS:
            identifier = request.query_params.get(kind, "")
            shown = request.query_params.get(f"{kind}_client_secret", "")
            sandbox = self._kernel.sandboxes.holding(kind, identifier) if identifier else None
            if sandbox is None:
                continue
            secret = self._kernel.within(sandbox, partial(_secret, kind=kind, identifier=identifier))
            if hmac.compare_digest(shown.encode(), secret.encode()):
                return sandbox, kind, identifier
        return None


def _secret(world: World, *, kind: str, identifier: str) -> str:
    return str(world.get(kind, identifier)["client_secret"])


def _question(world: World, intent: Document, request: Request) -> Response:
    if intent["status"] != "requires_action":
        return rendered(_nothing_asked(world, intent))
    method = world.get("payment_method", intent["payment_method"])
    return_url = intent.private.get("return_url")
    session = checkout_payment.session_of(world, intent)
    return render.page(
        "challenge.html",
        goes_to=(return_url, session["success_url"] if session is not None else None),
        action=f"{request.url.path}?{urlencode(list(request.query_params.multi_items()))}",
        amount=intent["amount"] if intent["object"] == "payment_intent" else None,
        currency=intent.get("currency"),
        last4=(method.get("card") or {}).get("last4", ""),
        livemode=world.livemode,
        seller=checkout_view.seller_of(world, session),
    )


def _answered(world: World, intent: Document, *, passed: bool) -> Closed | GoTo:
    checkout_payment.authenticated(world, intent, passed=passed)
    session = checkout_payment.session_of(world, intent)
    if session is not None and session["status"] == "complete":
        return checkout.finished(session)
    return_url = intent.private.get("return_url")
    if return_url is None:
        return _nothing_asked(world, intent)
    return GoTo(confirming.landing_url(intent, return_url, passed=intent["status"] != "requires_payment_method"))


def _nothing_asked(world: World, intent: Document) -> Closed:
    is_refused = intent["status"] in ("requires_payment_method", "canceled")
    return Closed(
        "Your bank has your answer",
        "The payment was not confirmed. You can close this page." if is_refused else "You can close this page.",
        is_good=not is_refused,
        livemode=world.livemode,
    )
