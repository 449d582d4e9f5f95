"""The verbs: everything a desk can do, each with what it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from paydesk.billing.accounts import Accounts
from paydesk.billing.checkout import Checkouts
from paydesk.billing.customers import Customers
from paydesk.billing.gates import Gates
from paydesk.billing.orders import Orders
from paydesk.billing.portal import Portals
from paydesk.billing.prices import Prices
from paydesk.billing.refunds import Refunds
from paydesk.billing.signups import Signups
from paydesk.billing.subscriptions import Subscriptions
from paydesk.billing.usage import Usages

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from paydesk.billing.attempts import Attempts
    from paydesk.billing.catalog import Catalog
    from paydesk.billing.inbox.inbox import Inbox
    from paydesk.billing.settings import Settings
    from paydesk.billing.store.store import Store
    from paydesk.billing.stripe_api import StripeApi


class Verbs:
    """One of each, for one desk. `base_url` is where its routes begin."""

    def __init__(
        self,
        settings: Settings,
        catalog: Catalog,
        store: Store,
        stripe_api: StripeApi,
        attempts: Attempts,
        inbox: Inbox,
        *,
        base_url: str,
        now: Callable[[], datetime],
    ) -> None:
        livemode, refresh = settings.livemode, inbox.refresh
        prices = Prices(stripe_api, settings.prices, livemode=livemode)
        customers = Customers(store, attempts, livemode=livemode, now=now)
        self.checkouts = Checkouts(
            store, attempts, catalog, prices, customers, base_url=base_url, livemode=livemode, now=now
        )
        self.refunds = Refunds(store, attempts, refresh)
        self.orders = Orders(store, refresh, livemode=livemode, now=now)
        self.subscriptions = Subscriptions(store, attempts, stripe_api, catalog, prices, refresh, livemode=livemode)
        self.signups = Signups(
            store,
            attempts,
            stripe_api,
            prices,
            customers,
            self.subscriptions,
            refresh,
            base_url=base_url,
            livemode=livemode,
            now=now,
        )
        self.portals = Portals(stripe_api, customers, self.subscriptions, return_url=f"{base_url}/account")
        self.accounts = Accounts(store, catalog, self.subscriptions, livemode=livemode)
        self.usages = Usages(store, attempts, catalog, customers, inbox, livemode=livemode, now=now)
        self.gates = Gates(store, catalog, livemode=livemode, now=now)
        attempts.register([customers.verb, self.checkouts.verb, self.refunds.verb, self.usages.verb])
        attempts.register([*self.subscriptions.verbs, *self.signups.verbs])
