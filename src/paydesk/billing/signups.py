"""Subscribing: a page at Stripe, one at a time for each user and slot.

    signup = desk.subscribe("pro", user=user, seats=3)      # send the user to signup.url

Two tabs, two machines, a plan chosen and then another: there is never more
than one page on which a user could subscribe to the same thing, so there are
never two subscriptions. The same wish gets the same page again; another wish
closes the old page first, and Stripe decides whether that came in time.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import select

from paydesk.billing.facts.subscriptions import LIVE
from paydesk.billing.log import get_logger
from paydesk.billing.mirror.refs import Ref, id_of
from paydesk.billing.mirror.signups import SIGNUP_KEY
from paydesk.billing.signup_page import ClosePage, OpenPage
from paydesk.errors import AlreadySubscribed, OrderNotFound, StripeRefused, StripeUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, RowMapping

    from paydesk.billing.attempts import Attempt, Attempts
    from paydesk.billing.customers import Customers, Payer
    from paydesk.billing.offer import Offer
    from paydesk.billing.plans import Plan
    from paydesk.billing.prices import Prices
    from paydesk.billing.store.store import Store
    from paydesk.billing.stripe_api import StripeApi
    from paydesk.billing.subscriptions import HeldSubscription, Refresh, Subscriptions

logger = get_logger(__name__)

# Within this time nobody has filled a page in: the same wish is a double click, and Stripe is not asked about it.
DOUBLE_CLICK = timedelta(seconds=10)

# Each round settles one thing that was in the way. More than a few are somebody else's clicks, without end.
ROUNDS_MAX = 5

Stage = Literal["open", "processing", "subscribed", "expired"]


@dataclass(frozen=True)
class Signup:
    """Where to send the user (`url`, at Stripe, until `expires_at`), and what they subscribe to there."""

    id: str
    url: str
    plan: str
    seats: int
    billed_every: str
    trial_days: int | None
    expires_at: datetime | None = None


@dataclass(frozen=True)
class SignupProgress:
    """How far a sign-up has come. `subscription` is there once it is `subscribed`; `pay_url` while it is `open`."""

    user_id: str
    plan: str
    stage: Stage
    subscription: HeldSubscription | None
    pay_url: str | None


@dataclass(frozen=True)
class Wish:
    """What somebody wants to subscribe to, checked."""

    plan: Plan
    offer: Offer
    seats: int
    promotion_codes: bool
    trial_days: int | None

    def is_of(self, row: Mapping[Any, Any], price_id: str) -> bool:
        """Whether the page that is open is for this."""
        wanted = (self.plan.code, self.seats, price_id, self.promotion_codes, self.trial_days)
        return wanted == (row["plan"], row["seats"], row["price_id"], row["promotion_codes"], row["trial_days"])


class Signups:
    """The verb that subscribes."""

    def __init__(
        self,
        store: Store,
        attempts: Attempts,
        stripe_api: StripeApi,
        prices: Prices,
        customers: Customers,
        subscriptions: Subscriptions,
        refresh: Refresh,
        *,
        base_url: str,
        livemode: bool,
        now: Callable[[], datetime],
        new_token: Callable[[], str] = lambda: secrets.token_urlsafe(18),
    ) -> None:
        self._store = store
        self._table = store.tables.signups
        self._attempts = attempts
        self._stripe_api = stripe_api
        self._prices = prices
        self._customers = customers
        self._subscriptions = subscriptions
        self._refresh = refresh
        self._base_url = base_url
        self._livemode = livemode
        self._now = now
        self._new_token = new_token
        self._open_page = OpenPage(store, now)
        self._close_page = ClosePage()
        self.verbs = (self._open_page, self._close_page)

    def subscribe(self, wish: Wish, user: Payer) -> Signup:
        """A page at Stripe where the user can subscribe to this.

        Raises AlreadySubscribed, UnknownPrice, PriceMismatch, StripeRefused or StripeUnavailable.
        """
        try:
            return self._sign_up(wish, user)
        except StripeRefused as refusal:
            if refusal.code != "resource_missing":
                raise
            # What we remembered is gone at Stripe: a customer deleted there, a sandbox that was emptied.
            self._prices.forget()
            return self._sign_up(wish, user)

    def look_up(self, session_id: str) -> SignupProgress | None:
        """How far the sign-up of this Checkout Session is, after asking Stripe; None if it is no sign-up."""
        row = self._row(self._table.c.session_id == session_id)
        if row is None:
            return None
        if row["status"] != "complete":
            self._look(Ref("checkout.session", session_id), None)
        row = self._row(self._table.c.id == row["id"])
        if row is None:
            raise OrderNotFound(session_id)
        subscription = self._subscription_of(row)
        is_there = row["status"] == "open" and not self._has_run_out(row)
        stage: Stage = "open" if is_there else "expired"
        if row["status"] == "complete":
            stage = "subscribed" if subscription is not None and subscription.is_live else "processing"
        pay_url = row["session_url"] if stage == "open" else None
        return SignupProgress(row["user_id"], row["plan"], stage, subscription, pay_url)

    def _sign_up(self, wish: Wish, user: Payer) -> Signup:
        price_id = self._prices.id_of(wish.offer)
        usage_ids = [self._prices.id_of(each) for each in wish.plan.usage_beside(wish.offer)]
        if (page := self._double_clicked(wish, user, price_id)) is not None:
            return page
        customer_id = self._customers.stripe_id(user)
        for _ in range(ROUNDS_MAX):
            with self._customers.asked_about(customer_id):
                self._catch_up(user, wish.plan.slot, customer_id)
            with self._store.write() as connection:
                self._wait_for_others(connection, user)
                self._must_be_free(connection, user, wish.plan.slot)
                # Locked: the attempt of another click cannot be closed between our look for its page and for itself.
                row = self._open_row(connection, user, wish.plan.slot, is_locked=True)
                row = row or self._new_row(connection, wish, user, price_id, customer_id)
                is_in_the_way = not wish.is_of(row, price_id) or self._has_run_out(row)
                if row["session_url"] and not is_in_the_way:
                    return _signup(row)
                attempt = None if is_in_the_way else self._promise(connection, row, usage_ids)
            if attempt is None:
                self._close(row)
                continue
            with self._customers.asked_about(attempt.params.get("customer")):
                self._attempts.finish(attempt)
            made = self._row(self._table.c.id == row["id"])
            if made is not None and made["status"] == "open" and made["session_url"]:
                return _signup(made)
        raise StripeUnavailable("to open the page", "another plan is chosen at the same time, again and again", tries=1)

    def _double_clicked(self, wish: Wish, user: Payer, price_id: str) -> Signup | None:
        """The page that was opened for the same wish a moment ago."""
        with self._store.read() as connection:
            row = self._open_row(connection, user, wish.plan.slot)
        if row is None or not row["session_url"] or row["created_at"] <= self._now() - DOUBLE_CLICK:
            return None
        return _signup(row) if wish.is_of(row, price_id) else None

    def _has_run_out(self, row: RowMapping) -> bool:
        """Whether the page's time is over, also where nobody has told us and Stripe does not answer."""
        return row["expires_at"] is not None and row["expires_at"] <= self._now()

    def _catch_up(self, user: Payer, slot: str, customer_id: str) -> None:
        """Know what Stripe knows: whether the open page was used, and what the customer subscribes to."""
        with self._store.read() as connection:
            row = self._open_row(connection, user, slot)
        if row is not None and row["session_id"]:
            self._look(Ref("checkout.session", row["session_id"]), None)
        listed = self._stripe_api.read(
            "to list the subscriptions",
            lambda client: client.v1.subscriptions.list({"customer": customer_id, "limit": 100}).data,
        )
        known = self._known_subscriptions(customer_id)
        for subscription in listed:
            if subscription.status in LIVE and known.get(subscription.id) not in LIVE:
                self._look(Ref("subscription", subscription.id), customer_id)

    def _known_subscriptions(self, customer_id: str) -> dict[str, str]:
        table = self._store.tables.subscriptions
        query = select(table.c.id, table.c.status).where(table.c.customer_id == customer_id)
        with self._store.read() as connection:
            return {row.id: row.status for row in connection.execute(query)}

    def _wait_for_others(self, connection: Connection, user: Payer) -> None:
        """Of two who ask for one user at once, the second sees what the first has done."""
        customers = self._store.tables.customers
        mine = select(customers.c.id).where(customers.c.user_id == str(user.id))
        connection.execute(self._store.locked(mine)).first()

    def _must_be_free(self, connection: Connection, user: Payer, slot: str) -> None:
        table = self._store.tables.subscriptions
        theirs = (table.c.user_id == str(user.id), table.c.livemode == self._livemode, table.c.slot == slot)
        live = select(table.c.id, table.c.plan).where(*theirs, table.c.status.in_(sorted(LIVE)))
        if (found := connection.execute(live).first()) is not None:
            raise AlreadySubscribed(str(user.id), subscription_id=found.id, plan=found.plan)

    def _open_row(
        self, connection: Connection, user: Payer, slot: str, *, is_locked: bool = False
    ) -> RowMapping | None:
        table = self._table
        mine = (table.c.user_id == str(user.id), table.c.slot == slot, table.c.livemode == self._livemode)
        query = select(table).where(*mine, table.c.status == "open")
        query = self._store.locked(query) if is_locked else query
        return connection.execute(query).mappings().one_or_none()

    def _new_row(self, connection: Connection, wish: Wish, user: Payer, price_id: str, customer_id: str) -> RowMapping:
        signup_id, now = f"sgn_{self._new_token()}", self._now()
        connection.execute(
            self._table.insert().values(
                id=signup_id,
                user_id=str(user.id),
                slot=wish.plan.slot,
                plan=wish.plan.code,
                seats=wish.seats,
                billed_every=str(wish.offer.every),
                price_id=price_id,
                trial_days=wish.trial_days,
                promotion_codes=wish.promotion_codes,
                customer_id=customer_id,
                status="open",
                livemode=self._livemode,
                created_at=now,
                updated_at=now,
            )
        )
        return connection.execute(select(self._table).where(self._table.c.id == signup_id)).mappings().one()

    def _promise(self, connection: Connection, row: RowMapping, usage_ids: Sequence[str]) -> Attempt:
        """The attempt that makes the row's page: a new one, or the one that is under way."""
        metadata = {SIGNUP_KEY: row["id"]}
        # What is charged by use has no quantity before it is used.
        by_use: list[dict[str, Any]] = [{"price": each} for each in usage_ids]
        subscription: dict[str, Any] = {"metadata": metadata}
        if row["trial_days"]:
            subscription["trial_period_days"] = row["trial_days"]
        params: dict[str, Any] = {
            "mode": "subscription",
            "customer": row["customer_id"],
            "line_items": [{"price": row["price_id"], "quantity": row["seats"]}, *by_use],
            "client_reference_id": row["id"],
            "metadata": metadata,
            "subscription_data": subscription,
            # Stripe fills in the id itself, and only if the braces arrive as they are.
            "success_url": f"{self._base_url}/thanks?session_id={{CHECKOUT_SESSION_ID}}",
            "cancel_url": f"{self._base_url}/pricing",
        }
        if row["promotion_codes"]:
            params["allow_promotion_codes"] = True
        return self._attempts.open(connection, self._open_page, row["id"], params)

    def _close(self, row: RowMapping) -> None:
        """Close a page on which something else would be subscribed to. Whether that came in time, Stripe says."""
        for attempt in self._attempts.pending([self._open_page], row["id"]):
            with suppress(StripeRefused):  # then there is no page
                self._attempts.finish(attempt)
        with self._store.write() as connection:
            mine = select(self._table).where(self._table.c.id == row["id"], self._table.c.status == "open")
            now = connection.execute(self._store.locked(mine)).mappings().one_or_none()
            if now is None or now["session_id"] is None:
                return
            attempt = self._attempts.open(connection, self._close_page, now["session_id"], {})
        with suppress(StripeRefused):  # it has just been used, or has run out
            self._attempts.finish(attempt)
        self._look(Ref("checkout.session", now["session_id"]), None)

    def _subscription_of(self, row: RowMapping) -> HeldSubscription | None:
        """The subscription that came of it, which may not have been heard of yet."""
        subscription_id = row["subscription_id"]
        if subscription_id is None:
            return None
        if subscription_id not in self._known_subscriptions(row["customer_id"]):
            invoice_id = id_of((row["object"] or {}).get("invoice"))
            # An invoice brings its subscription along.
            ref = Ref("invoice", invoice_id) if invoice_id else Ref("subscription", subscription_id)
            self._look(ref, row["customer_id"])
        return self._subscriptions.get(subscription_id)

    def _look(self, ref: Ref, lane: str | None) -> None:
        """Bring the mirror up to date now, by the same code as a webhook. If Stripe is silent, what is known counts."""
        try:
            self._refresh(ref, lane=lane)
        except (StripeUnavailable, StripeRefused) as error:
            logger.warning("what was known before has to do: %s", error)

    def _row(self, condition: ColumnElement[bool]) -> RowMapping | None:
        with self._store.read() as connection:
            return connection.execute(select(self._table).where(condition)).mappings().one_or_none()


def _signup(row: RowMapping) -> Signup:
    columns = ("id", "session_url", "plan", "seats", "billed_every", "trial_days", "expires_at")
    return Signup(*(row[column] for column in columns))
