"""The receipt of a charge, at its `receipt_url`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from paydesk.emulator.pages import checkout_view, render
from paydesk.emulator.resources import checkout_taxes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request
    from starlette.responses import Response

    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.kernel import Kernel
    from paydesk.emulator.kernel.world import World

_BRANDS = {"amex": "American Express", "jcb": "JCB", "unionpay": "UnionPay", "diners": "Diners Club"}


class ReceiptPage:
    """Shows what was paid and for what, by which card, and what was given back."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    async def show(self, request: Request) -> Response:
        """GET."""
        identifier = request.path_params["charge"]
        sandbox = self._kernel.sandboxes.holding("charge", identifier)
        values = self._kernel.within(sandbox, lambda world: _values(world, identifier)) if sandbox is not None else None
        if values is None:
            return render.nothing_here()
        return render.page("receipt.html", **values)


def _values(world: World, identifier: str) -> dict[str, Any] | None:
    charge = world.get("charge", identifier)
    if not charge["paid"]:
        return None
    intent = charge["payment_intent"]
    session = world.first("checkout.session", "payment_intent", intent) if intent else None
    return {
        "amount": charge["amount"],
        "currency": charge["currency"],
        "discount": checkout_view.discount_of(session) if session is not None else None,
        "items": checkout_view.items_of(world, session) if session is not None else (),
        "invoices": tuple(_invoices(world, intent)),
        "livemode": world.livemode,
        "paid_by": _paid_by(charge["payment_method_details"] or {}),
        "paid_on": render.day(charge["created"]),
        "refunded": charge["amount_refunded"],
        "seller": checkout_view.seller_of(world, session),
        "tax": checkout_taxes.on_top(session) if session is not None else 0,
    }


def _paid_by(details: dict[str, Any]) -> str:
    """What was charged, as its holder knows it."""
    kind = details.get("type") or "card"
    shown = details.get(kind) or {}
    brand = str(shown.get("brand") or "")
    name = _BRANDS.get(brand, brand.capitalize()) if kind == "card" else shown.get("bank_name") or "Bank account"
    return f"{name or 'Card'} •••• {shown.get('last4') or ''}".removesuffix(" •••• ")


def _invoices(world: World, intent: str | None) -> Iterator[Document]:
    """The invoices that a payment went to, in the order in which it did."""
    payments = list(world.having("invoice_payment", "payment.payment_intent", intent)) if intent else []
    for payment in reversed(payments):
        if payment["status"] == "paid":
            yield world.get("invoice", payment["invoice"])
