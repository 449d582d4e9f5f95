"""The ledger: what was ordered, by whom, and whether it is paid."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import select

from paydesk.billing.facts import Order
from paydesk.billing.log import get_logger
from paydesk.billing.mirror.refs import Ref
from paydesk.errors import OrderNotFound, StripeRefused, StripeUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import ColumnElement, RowMapping

    from paydesk.billing.customers import Payer
    from paydesk.billing.store.store import Store

    # Reads the object from Stripe and applies it under its lane's lease: what the worker does for a webhook.
    Refresh = Callable[[Ref], object]

logger = get_logger(__name__)

# An attempt is finished for a day, and a session made then is open for another.
UNLINKED_MAX = timedelta(days=2)

Stage = Literal["open", "processing", "paid", "refunded", "failed", "expired"]


@dataclass(frozen=True)
class Progress:
    """How far an order has come. `pay_url` is where it can still be paid, if it can."""

    order: Order
    stage: Stage
    pay_url: str | None


class Orders:
    """Looking orders up, and bringing one up to date when somebody is waiting for it."""

    def __init__(self, store: Store, refresh: Refresh, *, livemode: bool, now: Callable[[], datetime]) -> None:
        self._store = store
        self._orders = store.tables.orders
        self._refresh = refresh
        self._livemode = livemode
        self._now = now

    def get(self, order_id: str) -> Order:
        """The order. Raises OrderNotFound."""
        row = self._row(self._orders.c.id == order_id)
        if row is None:
            raise OrderNotFound(order_id)
        return Order.from_row({**row})

    def of(self, user: Payer, limit: int) -> list[Order]:
        """The user's orders of this mode, newest first: what was bought with a test card is not theirs when live."""
        orders = self._orders
        theirs = select(orders).where(orders.c.user_id == str(user.id), orders.c.livemode == self._livemode)
        query = theirs.order_by(orders.c.created_at.desc(), orders.c.id).limit(limit)
        with self._store.read() as connection:
            return [Order.from_row({**row}) for row in connection.execute(query).mappings()]

    def refresh(self, session_id: str) -> Progress:
        """Bring the order of this Checkout Session up to date with Stripe, by the same code as the webhook.

        So a customer who comes back before the webhook, or whose webhook is lost, finds the order paid all the
        same, and it is fulfilled once. When Stripe cannot be asked, the answer is what was known before.
        Raises OrderNotFound.
        """
        row = self._of_session(session_id)
        if row is None and not self._is_any_unlinked():
            raise OrderNotFound(session_id)  # anybody can invent an id: Stripe is not asked about every one
        if row is None or row["status"] in {"pending", "failed", "expired"}:
            try:
                self._refresh(Ref("checkout.session", session_id))
            except StripeUnavailable as error:
                logger.warning("the thanks page shows what was known before: %s", error)
            except StripeRefused as refusal:
                logger.warning("Stripe does not show the session of the thanks page: %s", refusal)
            row = self._of_session(session_id)
        if row is None:
            raise OrderNotFound(session_id)
        return progress_of(row)

    def _is_any_unlinked(self) -> bool:
        """Whether some order lost its session to a crash between Stripe's answer and our commit."""
        orders = self._orders
        unlinked = select(orders.c.id).where(
            orders.c.session_id.is_(None),
            orders.c.status.in_(("pending", "failed")),
            orders.c.created_at > self._now() - UNLINKED_MAX,
        )
        with self._store.read() as connection:
            return connection.execute(unlinked.limit(1)).first() is not None

    def _of_session(self, session_id: str) -> RowMapping | None:
        return self._row(self._orders.c.session_id == session_id)

    def _row(self, condition: ColumnElement[bool]) -> RowMapping | None:
        with self._store.read() as connection:
            return connection.execute(select(self._orders).where(condition)).mappings().one_or_none()


def progress_of(row: RowMapping) -> Progress:
    """How far the order in this row has come."""
    session: dict[str, Any] = row["object"] or {}
    stage: Stage = row["status"] if row["status"] != "pending" else "open"
    if stage == "open" and session.get("status") == "complete":
        stage = "processing"  # the form is filled in, but a slow method such as a bank debit is still under way
    return Progress(Order.from_row({**row}), stage, row["session_url"] if stage == "open" else None)
