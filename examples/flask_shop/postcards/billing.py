"""What happens when somebody pays: stamps in their drawer, and a card to welcome a penfriend."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import current_app, session

from paydesk import OrderPaid, OrderRefunded, SubscriptionStarted, User
from paydesk.flask import Desk

from . import cards

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

STAMPS = 10

desk = Desk()


@desk.user
def current_user() -> User | None:
    """Who is here. A real app asks for a password; this one believes a name."""
    name = session.get("name")
    return User(id=name, email=f"{name}@example.com") if name else None


@desk.on(OrderPaid)
def deliver(paid: OrderPaid, db: Session) -> None:
    """Ten stamps for each pack: once for each order, whatever Stripe says how often."""
    if paid.order.user_id is not None:
        cards.give_stamps(db, paid.order.user_id, STAMPS * paid.order.quantity)


@desk.on(OrderRefunded)
def take_back(refunded: OrderRefunded, db: Session) -> None:
    """Money back, stamps back. Those that were used are on their way."""
    if refunded.is_full and refunded.order.user_id is not None:
        cards.give_stamps(db, refunded.order.user_id, -STAMPS * refunded.order.quantity)


@desk.on(SubscriptionStarted)
def welcome(started: SubscriptionStarted, db: Session) -> None:
    """The first card of a penfriend is one they get."""
    owner = started.subscription.user_id
    if owner is not None:
        text = f"Dear {owner}, it is good to have you with us."
        cards.keep(db, owner, to=owner, text=f"{text} Yours, {current_app.config['PAYDESK_NAME']}")
