"""The counter: what a desk does for somebody who pays, or who wants to know what they may do.

checkout = desk.checkout("ebook", user=user)
signup = desk.subscribe("pro", user=user, seats=3)
if desk.allows(user, "export"): ...
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from paydesk.billing.plans import MAIN_SLOT
from paydesk.billing.signups import Wish

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from paydesk.billing.accounts import Account
    from paydesk.billing.catalog import Catalog
    from paydesk.billing.checkout import Checkout
    from paydesk.billing.customers import Payer
    from paydesk.billing.facts import Invoice, Order
    from paydesk.billing.gates import Access
    from paydesk.billing.orders import Progress
    from paydesk.billing.portal import Destination
    from paydesk.billing.refunds import Reason
    from paydesk.billing.signups import Signup, SignupProgress
    from paydesk.billing.subscriptions import HeldSubscription
    from paydesk.billing.verbs import Verbs

ORDERS_MAX = 100
INVOICES_MAX = 24


class Counter(ABC):
    """A desk that serves people."""

    catalog: Catalog
    _verbs: Verbs

    @abstractmethod
    def open(self) -> None:
        """Make ready for use."""

    def checkout(self, sku: str, *, user: Payer | None = None, quantity: int = 1, email: str | None = None) -> Checkout:
        """Start selling `quantity` of a product: send the customer to the answer's `url`.

        Without a `user` it is sold to a guest, whose `email` may be filled in. The same wish of the same user,
        repeated within ten seconds, is a double click and answers the same page. Raises UnknownProduct,
        QuantityRefused, UnknownPrice, PriceMismatch, StripeRefused or StripeUnavailable.
        """
        self.open()
        return self._verbs.checkouts.checkout(sku, user, quantity, email)

    def subscribe(
        self,
        plan: str,
        *,
        user: Payer,
        seats: int | None = None,
        interval: str | None = None,
        trial_days: int | None = None,
        promotion_codes: bool = False,
    ) -> Signup:
        """Start a subscription: send the user to the answer's `url`.

        `interval` chooses among the plan's prices: "month", "year"; the first is the plan's own. `seats` are the least
        the plan can have, unless said. `trial_days` are the plan's for whoever never had one in its slot; 0 gives none.
        There is one page at a time: the same wish gets the same page again, another wish closes the first. Raises
        AlreadySubscribed, UnknownPlan, IntervalRefused, SeatsRefused, UnknownPrice, PriceMismatch, StripeRefused or
        StripeUnavailable.
        """
        self.open()
        chosen = self.catalog.plan(plan)
        if trial_days is None:
            trial_days = None if self._verbs.subscriptions.has_had(user, chosen.slot) else chosen.trial_days
        wish = Wish(
            plan=chosen,
            offer=chosen.offer(interval),
            seats=chosen.checked_seats(chosen.seats_min if seats is None else seats),
            promotion_codes=promotion_codes,
            trial_days=trial_days or None,
        )
        return self._verbs.signups.subscribe(wish, user)

    def look_up_signup(self, session_id: str) -> SignupProgress | None:
        """How far the sign-up of this Checkout Session is, after asking Stripe; None if it was opened for an order."""
        self.open()
        return self._verbs.signups.look_up(session_id)

    def order(self, order_id: str) -> Order:
        """The order of that id (ord_…), as the ledger has it. Raises OrderNotFound."""
        self.open()
        return self._verbs.orders.get(order_id)

    def orders(self, user: Payer, *, limit: int = ORDERS_MAX) -> list[Order]:
        """The user's orders in the key's mode, test or live, newest first."""
        self.open()
        return self._verbs.orders.of(user, limit)

    def look_up(self, session_id: str) -> Progress:
        """How far the order of this Checkout Session is, after asking Stripe: what the thanks page shows.

        If it turns out to be paid, it is fulfilled by this, once. Raises OrderNotFound.
        """
        self.open()
        return self._verbs.orders.refresh(session_id)

    def refund(self, order: Order | str, *, amount_minor: int | None = None, reason: Reason | None = None) -> Order:
        """Give money back: all that is left, or `amount_minor` in the currency's smallest unit.

        Answers the order as it is afterwards. Raises OrderNotFound, NotRefundable, StripeUnavailable or
        OutcomeUnknown. After StripeUnavailable the refund may or may not have been made: the worker finishes it, and
        asking for the same amount again joins it. After OutcomeUnknown look at the order before asking again.
        """
        self.open()
        return self._verbs.refunds.refund(order if isinstance(order, str) else order.id, amount_minor, reason)

    def subscription(self, user: Payer, *, slot: str = MAIN_SLOT) -> HeldSubscription | None:
        """What the user subscribes to, from the database alone: the live one, or else the last that was.

        A user has one live subscription in each of the catalog's slots, of which most catalogs have one. What can be
        done about it is on the answer: `swap`, `set_seats`, `cancel`, `resume`, `pause`, `preview`.
        """
        self.open()
        return self._verbs.subscriptions.of(user, slot)

    def portal(self, user: Payer, *, to: Destination | None = None, slot: str = MAIN_SLOT) -> str:
        """Where the user sees to cards, plans and invoices: a link to Stripe's portal, good for the next click only.

        `to` goes straight to one thing: "card" for another card, "cancel" or "switch" for the subscription in `slot`.
        Raises NothingToManage, PortalRefused, StripeRefused or StripeUnavailable.
        """
        self.open()
        return self._verbs.portals.url(user, to, slot)

    def invoices(self, user: Payer, *, limit: int = INVOICES_MAX) -> list[Invoice]:
        """The user's invoices in the key's mode, newest first: from the database alone."""
        self.open()
        return self._verbs.accounts.invoices(user, limit)

    def account(self, user: Payer, *, limit: int = INVOICES_MAX) -> Account:
        """What the user has: each subscription with its plan, and their invoices. What the account page shows."""
        self.open()
        return self._verbs.accounts.of(user, limit)

    def record(
        self,
        user: Payer,
        code: str,
        quantity: int = 1,
        *,
        key: str | None = None,
        used_at: datetime | None = None,
        db: Session | None = None,
    ) -> bool:
        """Record that the user used so much of something the catalog has a meter for; answers whether it is new.

        `key` names what was used (a message, a job): recorded again under one key, it counts once. Within a handler,
        pass its `db` on, and the record is part of its work. Stripe's meter is told by the worker, once. Raises
        UnknownMeter or UsageRefused.
        """
        self.open()
        return self._verbs.usages.record(user, code, quantity, key=key, used_at=used_at, db=db)

    def used(self, user: Payer, code: str, *, since: datetime | None = None) -> int:
        """How much the user has used since then, or in the period they pay for now, or else in this month."""
        self.open()
        return self._verbs.usages.used(user, code, since)

    def allows(self, user: Payer | None, code: str, *, used: int | None = None) -> bool:
        """Whether the user has the plan or feature of this code; or, for a limit, still something left beside `used`.

        From the database alone, with one query. A cancelled subscription counts until it ends, one whose payment is
        missing for its plan's `grace_days`. Raises UnknownFeature.
        """
        self.open()
        self._verbs.gates.check(code)
        return user is not None and self._verbs.gates.of(user).allows(code, used=used)

    def check_gate(self, code: str) -> None:
        """Raises UnknownFeature if no plan of the catalog could ever allow this."""
        self._verbs.gates.check(code)

    def access(self, user: Payer) -> Access:
        """All the user may do, by one query, where several gates are asked at once."""
        self.open()
        return self._verbs.gates.of(user)
