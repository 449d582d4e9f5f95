"""Orders and subscriptions, a page at a time."""

from __future__ import annotations

from paydesk.billing.operations.books import ORDER_STATES, SUBSCRIPTION_STATES
from paydesk.billing.web.admin.room import Asking, Shown


def orders(asking: Asking) -> Shown:
    """The newest orders, of a status, of a user."""
    status, user_id = asking.one_of("status", ORDER_STATES), asking.fields.get("user")
    leaf = asking.desk.operations.books.orders(status=status, user_id=user_id, after=asking.fields.get("after"))
    return Shown("orders.html", {"leaf": leaf, "states": ORDER_STATES, "chosen": {"status": status, "user": user_id}})


def subscriptions(asking: Asking) -> Shown:
    """The newest subscriptions, of a status, of a user."""
    status, user_id = asking.one_of("status", SUBSCRIPTION_STATES), asking.fields.get("user")
    leaf = asking.desk.operations.books.subscriptions(status=status, user_id=user_id, after=asking.fields.get("after"))
    chosen = {"status": status, "user": user_id}
    return Shown("subscriptions.html", {"leaf": leaf, "states": SUBSCRIPTION_STATES, "chosen": chosen})
