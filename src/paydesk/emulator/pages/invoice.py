"""The hosted invoice page: `/i/{account}/{token}`, an invoice's `hosted_invoice_url`.

It shows what is owed, and takes a card for it through the same functions as the API. It works
without JavaScript.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from starlette.responses import Response

from paydesk.emulator.kernel import form
from paydesk.emulator.kernel.errors import StripeError
from paydesk.emulator.pages import checkout_form, invoice_pdf, invoice_view, render, secret_links
from paydesk.emulator.pages.checkout import Refused
from paydesk.emulator.pages.checkout_next import Closed, GoTo, rendered
from paydesk.emulator.pages.checkout_view import today
from paydesk.emulator.resources import account, invoice_collection, paying, payment_method
from paydesk.emulator.resources.invoice_shape import INVOICE
from paydesk.emulator.rules import cards, declines

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.kernel import Kernel
    from paydesk.emulator.kernel.world import World
    from paydesk.emulator.pages.checkout_form import Typed

_ASKED: Final = "Confirm that you are a person, and enter the card again."
_NOT_CONFIRMED: Final = "Your bank did not confirm the payment. Try again, or use another card."


class InvoicePage:
    """Shows invoices and takes their payments."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    async def show(self, request: Request) -> Response:
        """GET: the invoice, and the form where something is due."""
        has_failed = request.query_params.get("redirect_status") == "failed"
        return self._answer(request, lambda world, invoice: _page(world, invoice, has_failed=has_failed))

    async def submit(self, request: Request) -> Response:
        """POST: a card for what is due."""
        body = await render.body(request)
        try:
            sent = form.decode(body) if body is not None else {}
        except StripeError:
            sent = {}
        return self._answer(request, lambda world, invoice: _submit(world, invoice, sent))

    async def pdf(self, request: Request) -> Response:
        """GET: the invoice on paper."""
        return self._answer(request, _on_paper)

    def _answer(self, request: Request, work: Callable[[World, Document], Response]) -> Response:
        found = secret_links.found(self._kernel, INVOICE, request)
        if found is None:
            return render.nothing_here()
        sandbox, identifier = found
        try:
            return self._kernel.within(sandbox, lambda world: work(world, world.get("invoice", identifier)))
        except Refused as refused:
            answer = refused
            return self._kernel.within(
                sandbox, lambda world: _after_refusal(world, world.get("invoice", identifier), answer)
            )


def _page(world: World, invoice: Document, *, has_failed: bool = False) -> Response:
    if invoice["status"] == "void":
        return rendered(
            Closed(
                "This invoice was withdrawn",
                f"There is nothing to pay. {account.seller(world)} knows about it.",
                livemode=world.livemode,
            )
        )
    return _shown(world, invoice, alert=_what_failed(world, invoice) if has_failed else None)


def _on_paper(world: World, invoice: Document) -> Response:
    view = invoice_view.of(world, invoice)
    return render.pdf(invoice_pdf.written(view), f"Invoice-{view.number}")


def _shown(world: World, invoice: Document, *, status: int = 200, **more: Any) -> Response:
    view = invoice_view.of(world, invoice, **more)
    return render.page("invoice.html", status=status, view=view, livemode=view.livemode)


def _what_failed(world: World, invoice: Document) -> str | None:
    """Why the last try came to nothing, for a customer who comes back from their bank."""
    if not invoice_view.is_payable(world, invoice):
        return None
    error = invoice_collection.intent_of(world, invoice)["last_payment_error"]
    if error is None:
        return _NOT_CONFIRMED
    return _plain(error, ((error.get("payment_method") or {}).get("card") or {}).get("funding", "credit"))


def _submit(world: World, invoice: Document, sent: dict[str, Any]) -> Response:
    if not invoice_view.is_payable(world, invoice):
        # A second click: the page says how things are.
        return _page(world, invoice)
    typed = checkout_form.read(sent)
    day = today(world)
    if isinstance(sent.get("test_card"), str):
        typed = checkout_form.with_test_card(typed, sent["test_card"], day)
    problems = checkout_form.problems(typed, day, asks_email=False, countries=render.countries())
    if problems:
        return _shown(world, invoice, status=422, typed=typed, problems=problems)
    plastic = cards.by_number(typed.card.number)
    if plastic is not None and plastic.asks_captcha and not typed.is_person:
        return _shown(world, invoice, status=422, typed=typed, alert=_ASKED, asks_person=True)
    intent = invoice_collection.intent_of(world, invoice)
    try:
        method = payment_method.new(world, _method(typed, invoice))
        paying.confirm(world, intent, method, return_url=invoice["hosted_invoice_url"])
    except StripeError as refusal:
        raise Refused(refusal, typed) from None
    if intent["status"] == "requires_action":
        return rendered(GoTo(intent["next_action"]["redirect_to_url"]["url"]))
    return rendered(GoTo(invoice["hosted_invoice_url"]))


def _method(typed: Typed, invoice: Document) -> dict[str, Any]:
    return {
        "type": "card",
        "card": typed.card.params(),
        "billing_details": {
            "address": {"country": typed.country, "postal_code": typed.postal_code or None},
            "email": invoice["customer_email"],
            "name": typed.name or None,
        },
    }


def _after_refusal(world: World, invoice: Document, refused: Refused) -> Response:
    """The page again, with the bank's answer in plain words and everything typed but the card."""
    plastic = cards.by_number(refused.typed.card.number)
    error = {**refused.extra, "code": refused.code, "message": refused.message}
    alert = _plain(error, plastic.funding if plastic is not None else "credit")
    return _shown(world, invoice, status=refused.status, typed=refused.typed, alert=alert)


def _plain(error: dict[str, Any], funding: str) -> str:
    return declines.on_page(error.get("code"), error.get("decline_code"), error["message"], funding)
