"""Who pays in Checkout: what the page asked, what the seller knew already, and the customer that comes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from paydesk.emulator.kernel.fields import address
from paydesk.emulator.resources import checkout_invoice, customer

if TYPE_CHECKING:
    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World


@dataclass(frozen=True)
class Payer:
    """Who pays, as far as the page asked or the payment method tells."""

    email: str | None
    name: str | None = None
    phone: str | None = None
    address: dict[str, Any] | None = None


def fixed_email(world: World, session: Document) -> str | None:
    """The e-mail address the seller already knows, which the customer cannot change."""
    if session["customer_email"]:
        return str(session["customer_email"])
    known = world.find("customer", session["customer"]) if session["customer"] else None
    return known["email"] if known is not None and known["email"] else None


def of(world: World, session: Document, method: Document | None, email: str | None = None) -> Payer:
    """Who pays, told by the payment method; an address that the seller fixed comes first."""
    known = fixed_email(world, session)
    if method is None:
        return Payer(known or email)
    billing = method["billing_details"]
    return Payer(known or email or billing["email"], billing["name"], billing["phone"], billing["address"])


def customer_for(world: World, session: Document) -> str | None:
    """The customer a completed session belongs to: the given one, a new one, or (for guests) nobody."""
    payer = session.private["payer"]
    if session["customer"] is not None:
        _complement(world, session, payer)
        return str(session["customer"])
    is_guest = session["customer_creation"] != "always" and not checkout_invoice.is_wanted(session)
    if is_guest and session["mode"] != "subscription":
        return None
    return customer.add_untold(world, payer).id


def _complement(world: World, session: Document, payer: dict[str, Any]) -> None:
    """What the customer told the page and the seller did not know yet."""
    known = world.find("customer", session["customer"])
    if known is None:
        return
    wanted = session.private.get("customer_update", {})
    if not known["email"]:
        known["email"] = payer["email"]
    if wanted.get("name") == "auto" and payer["name"]:
        known["name"] = payer["name"]
    if wanted.get("address") == "auto" and payer["address"]:
        known["address"] = address(payer["address"])
    world.save(known, "customer.updated")
