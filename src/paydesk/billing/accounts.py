"""What a user has: their plans, and the invoices about them. From the database alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from paydesk.billing.catalog_portal import has_choice
from paydesk.billing.facts import Invoice

if TYPE_CHECKING:
    from paydesk.billing.catalog import Catalog
    from paydesk.billing.customers import Payer
    from paydesk.billing.plans import Plan
    from paydesk.billing.store.store import Store
    from paydesk.billing.subscriptions import HeldSubscription, Subscriptions

# Drafts are not for customers' eyes yet, and what was voided never counted.
SHOWN = ("open", "paid", "uncollectible")


@dataclass(frozen=True)
class Holding:
    """One subscription, the plan it is of if the catalog has it, and the invoice that waits to be paid, if one does.

    `has_choice`: the portal offers something else to go over to, be it another rhythm or more seats. Nothing for plans
    that are charged by use: those are changed by the app.
    """

    subscription: HeldSubscription
    plan: Plan | None
    unpaid: Invoice | None
    has_choice: bool


@dataclass(frozen=True)
class Account:
    """What one user has. `holdings` are in the order of the catalog's slots; `invoices` newest first."""

    holdings: tuple[Holding, ...]
    invoices: tuple[Invoice, ...]


class Accounts:
    """Puts accounts together."""

    def __init__(self, store: Store, catalog: Catalog, subscriptions: Subscriptions, *, livemode: bool) -> None:
        self._store = store
        self._catalog = catalog
        self._subscriptions = subscriptions
        self._livemode = livemode

    def of(self, user: Payer, limit: int) -> Account:
        """The user's account, with so many invoices at most."""
        invoices = self.invoices(user, limit)
        slots = dict.fromkeys(plan.slot for plan in self._catalog.plans.values())
        found = [self._subscriptions.of(user, slot) for slot in slots]
        return Account(tuple(self._holding(each, invoices) for each in found if each is not None), tuple(invoices))

    def invoices(self, user: Payer, limit: int) -> list[Invoice]:
        """The user's invoices of this mode, newest first: what was asked for in test mode is not owed in live mode."""
        table = self._store.tables.invoices
        theirs = select(table).where(
            table.c.user_id == str(user.id),
            table.c.livemode == self._livemode,
            table.c.status.in_(SHOWN),
            table.c.deleted_at.is_(None),
        )
        query = theirs.order_by(table.c.created_at.desc(), table.c.id.desc()).limit(limit)
        with self._store.read() as connection:
            return [Invoice.from_row({**row}) for row in connection.execute(query).mappings()]

    def _holding(self, subscription: HeldSubscription, invoices: list[Invoice]) -> Holding:
        plan = self._catalog.plans.get(subscription.plan or "")
        # The oldest first: it is the one that Stripe waits for longest.
        unpaid = [each for each in reversed(invoices) if each.subscription_id == subscription.id and each.is_unpaid]
        waiting = unpaid[0] if unpaid and subscription.is_live else None
        return Holding(subscription, plan, waiting, self._has_choice(subscription))

    def _has_choice(self, subscription: HeldSubscription) -> bool:
        plans = [plan for plan in self._catalog.plans_for_sale if plan.slot == subscription.slot and not plan.usage]
        held = self._catalog.plans.get(subscription.plan or "")
        if held is not None and held.usage:
            return False
        return has_choice(plans) or any(plan.code != subscription.plan for plan in plans)
