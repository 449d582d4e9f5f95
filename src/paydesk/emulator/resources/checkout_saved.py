"""Cards that a customer left before, and may use again in Checkout: those that were kept for being shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World


def offered(world: World, session: Document) -> list[Document]:
    """The customer's cards whose `allow_redisplay` is one that the session asks for, newest first."""
    if session["customer"] is None or session["mode"] == "setup":
        return []
    wanted = session["saved_payment_method_options"]["allow_redisplay_filters"] or ()
    theirs = world.having("payment_method", "customer", session["customer"])
    return [method for method in theirs if method["type"] == "card" and method["allow_redisplay"] in wanted]


def chosen(world: World, session: Document, identifier: str | None) -> Document | None:
    """The card of that id, if it is offered."""
    return next((method for method in offered(world, session) if method.id == identifier), None)
