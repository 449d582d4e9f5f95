"""Giving money back, exactly once for each time somebody means it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import select

from paydesk.billing.facts import Order
from paydesk.billing.log import get_logger
from paydesk.billing.mirror.ledger import ORDER_KEY
from paydesk.billing.mirror.refs import Ref
from paydesk.billing.money import show
from paydesk.errors import NotRefundable, OrderNotFound, OutcomeUnknown, StripeRefused, StripeUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    import stripe
    from sqlalchemy import Connection, RowMapping

    from paydesk.billing.attempts import Attempt, Attempts
    from paydesk.billing.orders import Refresh
    from paydesk.billing.store.store import Store

logger = get_logger(__name__)

Reason = Literal["duplicate", "fraudulent", "requested_by_customer"]


class Refunds:
    """The verb that gives money back."""

    def __init__(self, store: Store, attempts: Attempts, refresh: Refresh) -> None:
        self._store = store
        self._orders = store.tables.orders
        self._attempts = attempts
        self._refresh = refresh
        self.verb = CreateRefund()

    def refund(self, order_id: str, amount_minor: int | None, reason: Reason | None) -> Order:
        """Give back `amount_minor`, or all that is left, and answer the order as it is afterwards.

        A second call for the same amount while the first is still under way joins it; one for another amount comes
        after it. Raises OrderNotFound, NotRefundable, StripeUnavailable or OutcomeUnknown.
        """
        while True:
            with self._store.write() as connection:
                order = self._locked(connection, order_id)
                amount = refundable({**order}, amount_minor)
                attempt = self._attempts.open(connection, self.verb, order_id, _params(order, amount, reason))
            self._finish(attempt, order)
            if attempt.params["amount"] == amount:
                break
        with self._store.read() as connection:
            after = connection.execute(select(self._orders).where(self._orders.c.id == order_id)).mappings().one()
        return Order.from_row({**after})

    def _finish(self, attempt: Attempt, order: RowMapping) -> None:
        try:
            self._attempts.finish(attempt)
        except StripeRefused as refusal:
            raise NotRefundable(order["id"], refusal.message.rstrip(".")) from refusal
        except OutcomeUnknown:
            self._apply(order["payment_intent_id"])  # whoever looks at the order now sees whether it was made
            raise
        self._apply(order["payment_intent_id"])

    def _apply(self, payment_intent_id: str) -> None:
        """Bring the mirror up to date now. If that fails, the money is back all the same and the webhook will tell."""
        try:
            self._refresh(Ref("payment_intent", payment_intent_id))
        except (StripeUnavailable, StripeRefused) as error:
            logger.warning("the refund is made, but the order shows it later: %s", error)

    def _locked(self, connection: Connection, order_id: str) -> RowMapping:
        query = self._store.locked(select(self._orders).where(self._orders.c.id == order_id))
        order = connection.execute(query).mappings().one_or_none()
        if order is None:
            raise OrderNotFound(order_id)
        return order


def refundable(order: Mapping[str, Any], amount_minor: int | None) -> int:
    """The amount that goes back, in the currency's smallest unit. Raises NotRefundable."""
    if order["status"] == "refunded":
        raise NotRefundable(order["id"], "all of it went back already")
    if order["status"] != "paid":
        raise NotRefundable(order["id"], f"it is {order['status']}, not paid")
    if order["payment_intent_id"] is None:
        raise NotRefundable(order["id"], "nothing was charged for it")
    left = int(order["amount_minor"]) - int(order["amount_refunded_minor"])
    amount = left if amount_minor is None else amount_minor
    if not 0 < amount <= left:
        asked, most = show(amount, order["currency"]), show(left, order["currency"])
        raise NotRefundable(order["id"], f"{asked} was asked for, and between nothing and {most} can go back")
    return amount


def _params(order: Mapping[Any, Any], amount_minor: int, reason: Reason | None) -> dict[str, Any]:
    params: dict[str, Any] = {
        "payment_intent": order["payment_intent_id"],
        "amount": amount_minor,
        "metadata": {ORDER_KEY: order["id"]},
    }
    return params if reason is None else {**params, "reason": reason}


class CreateRefund:
    """The write that makes a refund at Stripe."""

    name = "refund"
    doing = "to make the refund"

    def ask(self, client: stripe.StripeClient, attempt: Attempt, options: stripe.RequestOptions) -> stripe.StripeObject:
        return client.v1.refunds.create(attempt.params, options)

    def apply(self, connection: Connection, attempt: Attempt, answer: Mapping[str, Any]) -> None:
        """Nothing to link: the mirror reads the payment with its refunds, under the payment's lane."""

    def give_up(self, connection: Connection, attempt: Attempt) -> None:
        """The order keeps its money, as it says."""
