"""Cards on the portal: a new one, which becomes what the customer is charged by, and old ones put in order.

The way is the API's: a setup intent is confirmed, which attaches the card, and then the
customer's default is changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from paydesk.emulator.resources import payment_method, setup_intent, subscription_update
from paydesk.emulator.resources.subscription_shape import ENDED

if TYPE_CHECKING:
    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World

KEEP: Final = "billing_portal.keep_card"
_OPEN: Final = ("requires_payment_method", "requires_confirmation", "requires_action")


def save(
    world: World, session: Document, method: Document, *, return_url: str, subscription: str | None = None
) -> Document:
    """Save a new card. Afterwards it is the customer's default, or the intent waits for their bank.

    `subscription` is the one from which the customer came: it is charged to the card, too.

    Raises:
        StripeError: 402 when the bank declines; the intent is kept for the next card.
    """
    intent = intent_of(world, session)
    if intent is None or intent["status"] not in _OPEN:
        intent = setup_intent.open_intent(world, {"customer": session["customer"]}, followed_by=KEEP)
        session.private["setup_intent"] = intent.id
        world.save(session)
    intent.private["subscription"] = subscription
    setup_intent.confirm(world, intent, method, return_url=return_url)
    return intent


def intent_of(world: World, session: Document) -> Document | None:
    """The setup intent behind the latest card that was tried."""
    identifier = session.private.get("setup_intent")
    return None if identifier is None else world.find("setup_intent", identifier)


def keep(world: World, intent_id: str) -> None:
    """The bank agreed: the card is what the customer is charged by from now on."""
    intent = world.get("setup_intent", intent_id)
    customer = world.find("customer", intent["customer"])
    if customer is not None:
        make_default(world, customer, intent["payment_method"])
    held = intent.private.get("subscription")
    subscription = None if held is None else world.find("subscription", held)
    if subscription is not None and subscription["status"] not in ENDED:
        subscription_update.update(world, subscription, {"default_payment_method": intent["payment_method"]})


def make_default(world: World, customer: Document, method_id: str) -> None:
    """Charge the customer by this from now on."""
    customer["invoice_settings"]["default_payment_method"] = method_id
    world.save(customer, "customer.updated")


def remove(world: World, method: Document) -> None:
    """Take a payment method away, for ever."""
    payment_method.detach(world, method)


def of(world: World, customer: Document) -> list[Document]:
    """What the customer can be charged by: the default first, then the newest."""
    default = customer["invoice_settings"]["default_payment_method"]
    methods = list(world.having("payment_method", "customer", customer.id))
    return sorted(methods, key=lambda method: method.id != default)
