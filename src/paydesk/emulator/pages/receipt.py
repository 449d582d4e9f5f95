"""The receipt of a charge, at its `receipt_url`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from paydesk.emulator.pages import checkout_view, render
from paydesk.emulator.resources import checkout_taxes

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from paydesk.emulator.kernel.kernel import Kernel
    from paydesk.emulator.kernel.world import World

_BRANDS = {"amex": "American Express", "jcb": "JCB", "unionpay": "UnionPay", "diners": "Diners Club"}


class ReceiptPage:
    """Shows what was paid, by which card, and what was given back."""

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
    card = (charge["payment_method_details"] or {}).get("card") or {}
    brand = str(card.get("brand") or "card")
    return {
        "amount": charge["amount"],
        "brand": _BRANDS.get(brand, brand.capitalize()),
        "currency": charge["currency"],
        "discount": checkout_view.discount_of(session) if session is not None else None,
        "items": checkout_view.items_of(world, session) if session is not None else (),
        "last4": card.get("last4") or "",
        "livemode": world.livemode,
        "paid_on": render.day(charge["created"]),
        "refunded": charge["amount_refunded"],
        "seller": checkout_view.seller_of(world, session),
        "tax": checkout_taxes.on_top(session) if session is not None else 0,
    }
