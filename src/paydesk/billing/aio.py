"""The verbs for coroutines: the same functions, each in a thread."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from paydesk.billing.counter import INVOICES_MAX, ORDERS_MAX
from paydesk.billing.plans import MAIN_SLOT

if TYPE_CHECKING:
    from paydesk.billing.accounts import Account
    from paydesk.billing.changes import Prorate
    from paydesk.billing.checkout import Checkout
    from paydesk.billing.customers import Payer
    from paydesk.billing.desk import Paydesk
    from paydesk.billing.facts import Invoice, Order
    from paydesk.billing.gates import Access
    from paydesk.billing.orders import Progress
    from paydesk.billing.portal import Destination
    from paydesk.billing.refunds import Reason
    from paydesk.billing.signups import Signup
    from paydesk.billing.subscriptions import HeldSubscription


class Aio:
    """The verbs for coroutines: the same functions, each in a thread."""

    def __init__(self, desk: Paydesk) -> None:
        self._desk = desk

    async def checkout(
        self, sku: str, *, user: Payer | None = None, quantity: int = 1, email: str | None = None
    ) -> Checkout:
        """See Paydesk.checkout."""
        return await asyncio.to_thread(self._desk.checkout, sku, user=user, quantity=quantity, email=email)

    async def subscribe(
        self,
        plan: str,
        *,
        user: Payer,
        seats: int | None = None,
        interval: str | None = None,
        trial_days: int | None = None,
        promotion_codes: bool = False,
    ) -> Signup:
        """See Paydesk.subscribe."""
        return await asyncio.to_thread(
            self._desk.subscribe,
            plan,
            user=user,
            seats=seats,
            interval=interval,
            trial_days=trial_days,
            promotion_codes=promotion_codes,
        )

    async def order(self, order_id: str) -> Order:
        """See Paydesk.order."""
        return await asyncio.to_thread(self._desk.order, order_id)

    async def orders(self, user: Payer, *, limit: int = ORDERS_MAX) -> list[Order]:
        """See Paydesk.orders."""
        return await asyncio.to_thread(self._desk.orders, user, limit=limit)

    async def look_up(self, session_id: str) -> Progress:
        """See Paydesk.look_up."""
        return await asyncio.to_thread(self._desk.look_up, session_id)

    async def refund(
        self, order: Order | str, *, amount_minor: int | None = None, reason: Reason | None = None
    ) -> Order:
        """See Paydesk.refund."""
        return await asyncio.to_thread(self._desk.refund, order, amount_minor=amount_minor, reason=reason)

    async def invoices(self, user: Payer, *, limit: int = INVOICES_MAX) -> list[Invoice]:
        """See Paydesk.invoices."""
        return await asyncio.to_thread(self._desk.invoices, user, limit=limit)

    async def account(self, user: Payer, *, limit: int = INVOICES_MAX) -> Account:
        """See Paydesk.account."""
        return await asyncio.to_thread(self._desk.account, user, limit=limit)

    async def portal(self, user: Payer, *, to: Destination | None = None, slot: str = MAIN_SLOT) -> str:
        """See Paydesk.portal."""
        return await asyncio.to_thread(self._desk.portal, user, to=to, slot=slot)

    async def record(self, user: Payer, code: str, quantity: int = 1, *, key: str | None = None) -> bool:
        """See Paydesk.record."""
        return await asyncio.to_thread(self._desk.record, user, code, quantity, key=key)

    async def used(self, user: Payer, code: str) -> int:
        """See Paydesk.used."""
        return await asyncio.to_thread(self._desk.used, user, code)

    async def allows(self, user: Payer | None, code: str, *, used: int | None = None) -> bool:
        """See Paydesk.allows."""
        return await asyncio.to_thread(self._desk.allows, user, code, used=used)

    async def access(self, user: Payer) -> Access:
        """See Paydesk.access."""
        return await asyncio.to_thread(self._desk.access, user)

    async def subscription(self, user: Payer, *, slot: str = MAIN_SLOT) -> HeldSubscription | None:
        """See Paydesk.subscription."""
        return await asyncio.to_thread(self._desk.subscription, user, slot=slot)

    async def swap(
        self,
        subscription: HeldSubscription,
        plan: str,
        *,
        interval: str | None = None,
        seats: int | None = None,
        prorate: Prorate = "next",
    ) -> HeldSubscription:
        """See HeldSubscription.swap."""
        return await asyncio.to_thread(subscription.swap, plan, interval=interval, seats=seats, prorate=prorate)

    async def set_seats(
        self, subscription: HeldSubscription, seats: int, *, prorate: Prorate = "next"
    ) -> HeldSubscription:
        """See HeldSubscription.set_seats."""
        return await asyncio.to_thread(subscription.set_seats, seats, prorate=prorate)

    async def cancel(self, subscription: HeldSubscription, *, at_once: bool = False) -> HeldSubscription:
        """See HeldSubscription.cancel."""
        return await asyncio.to_thread(subscription.cancel, at_once=at_once)

    async def resume(self, subscription: HeldSubscription) -> HeldSubscription:
        """See HeldSubscription.resume."""
        return await asyncio.to_thread(subscription.resume)

    async def pause(self, subscription: HeldSubscription) -> HeldSubscription:
        """See HeldSubscription.pause."""
        return await asyncio.to_thread(subscription.pause)
