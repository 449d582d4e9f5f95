"""What a user subscribes to, as the mirror has it, and how it is changed.

    sub = desk.subscription(user)
    sub.swap("starter")             # or sub.set_seats(5), sub.cancel(), sub.resume(), sub.pause()

A change is an attempt like any other write: its key is committed before
Stripe is asked. Afterwards the mirror reads what Stripe made of it, so that
what comes back is what a webhook would have brought.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from paydesk.billing.attempts import canonical
from paydesk.billing.changes import VERBS, Change, Prorate, Target, cancelled, paused, resumed, swapped
from paydesk.billing.facts import Subscription
from paydesk.billing.log import get_logger
from paydesk.billing.mirror.refs import Ref
from paydesk.billing.mirror.shapes import is_proration
from paydesk.billing.plans import MAIN_SLOT
from paydesk.errors import ChangeRefused, OutcomeUnknown, PaydeskError, StripeRefused, StripeUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy import RowMapping, Select

    from paydesk.billing.attempts import Attempt, Attempts
    from paydesk.billing.catalog import Catalog
    from paydesk.billing.customers import Payer
    from paydesk.billing.prices import Prices
    from paydesk.billing.store.store import Store
    from paydesk.billing.stripe_api import StripeApi

    # Reads the object from Stripe and applies it under its lane's lease: what the worker does for a webhook.
    Refresh = Callable[..., object]
    Decide = Callable[["HeldSubscription", Sequence[Mapping[Any, Any]]], Change]

logger = get_logger(__name__)


@dataclass(frozen=True)
class Terms:
    """What somebody wants to have; None is what they have already."""

    plan: str | None = None
    interval: str | None = None
    seats: int | None = None


@dataclass(frozen=True)
class Preview:
    """What a change comes to: the next invoice as it would be, in the currency's smallest unit.

    `proration_minor` is the part of it that settles the period that has begun. `due_at` is when it would be charged.
    """

    amount_due_minor: int
    currency: str
    proration_minor: int
    due_at: datetime | None
    lines: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class HeldSubscription(Subscription):
    """A subscription as the mirror has it, with what can be done about it.

    Each verb answers the subscription as it is afterwards; this one stays as it was. Each raises ChangeRefused where
    the subscription or Stripe does not allow it, StripeUnavailable where it is not known yet whether it was done (the
    worker finishes it, and asking for the same again joins it), OutcomeUnknown where it never will be.
    """

    _verbs: Subscriptions = field(kw_only=True, repr=False, compare=False)

    @classmethod
    def held(cls, row: Mapping[Any, Any], verbs: Subscriptions) -> HeldSubscription:
        return cls(**{each.name: row[each.name] for each in fields(Subscription)}, _verbs=verbs)

    def swap(
        self, plan: str, *, interval: str | None = None, seats: int | None = None, prorate: Prorate = "next"
    ) -> HeldSubscription:
        """Go over to another plan, or to another rhythm of the same.

        The difference for the period that has begun is settled with the `next` invoice, `now`, or not at all (`none`).
        Also raises UnknownPlan, IntervalRefused, SeatsRefused, UnknownPrice and PriceMismatch.
        """
        return self._verbs.swap(self, Terms(plan, interval, seats), prorate)

    def set_seats(self, seats: int, *, prorate: Prorate = "next") -> HeldSubscription:
        """Have so many seats from now on. Also raises SeatsRefused."""
        return self._verbs.swap(self, Terms(seats=seats), prorate)

    def cancel(self, *, at_once: bool = False) -> HeldSubscription:
        """End it when what is paid for is over, or at once. Money goes back in neither case."""
        return self._verbs.change(self.id, lambda now, _: cancelled(now, at_once=at_once))

    def resume(self) -> HeldSubscription:
        """Take a cancellation back before its time, or end a pause."""
        return self._verbs.change(self.id, lambda now, _: resumed(now))

    def pause(self) -> HeldSubscription:
        """Let it rest until it is resumed: nothing is charged meanwhile, and nothing provided."""
        return self._verbs.change(self.id, lambda now, _: paused(now))

    def preview(
        self,
        plan: str | None = None,
        *,
        interval: str | None = None,
        seats: int | None = None,
        prorate: Prorate = "next",
    ) -> Preview:
        """What `swap` or `set_seats` would cost, changing nothing."""
        return self._verbs.preview(self, Terms(plan, interval, seats), prorate)


class Subscriptions:
    """Looking subscriptions up, and changing them."""

    def __init__(
        self,
        store: Store,
        attempts: Attempts,
        stripe_api: StripeApi,
        catalog: Catalog,
        prices: Prices,
        refresh: Refresh,
        *,
        livemode: bool,
    ) -> None:
        self._store = store
        self._table = store.tables.subscriptions
        self._attempts = attempts
        self._stripe_api = stripe_api
        self._catalog = catalog
        self._prices = prices
        self._refresh = refresh
        self._livemode = livemode
        self.verbs = VERBS

    def of(self, user: Payer, slot: str = MAIN_SLOT) -> HeldSubscription | None:
        """What the user has in this slot: the live one if there is one, else the last that was."""
        table = self._table
        theirs = select(table).where(table.c.user_id == str(user.id), table.c.livemode == self._livemode)
        query = theirs.where(table.c.slot == slot).order_by(table.c.created_at.desc(), table.c.id)
        with self._store.read() as connection:
            found = [HeldSubscription.held(row, self) for row in connection.execute(query).mappings()]
        begun = [each for each in found if each.status not in {"incomplete", "incomplete_expired"}]
        live = [each for each in begun if each.is_live]
        return next(iter([*live, *begun]), None)

    def get(self, subscription_id: str) -> HeldSubscription | None:
        """The subscription, if it has been heard of."""
        with self._store.read() as connection:
            row = connection.execute(self._row(subscription_id)).mappings().one_or_none()
        return HeldSubscription.held(row, self) if row is not None else None

    def has_had(self, user: Payer, slot: str) -> bool:
        """Whether the user has or had something in this slot."""
        return self.of(user, slot) is not None

    def swap(self, subscription: HeldSubscription, terms: Terms, prorate: Prorate) -> HeldSubscription:
        """See HeldSubscription.swap."""
        return self.change(subscription.id, lambda now, items: swapped(now, items, self._resolved(now, terms), prorate))

    def change(self, subscription_id: str, decide: Decide) -> HeldSubscription:
        """Do what is decided about the subscription as it is now, once, and answer it as it is afterwards.

        A second call for the same while the first is still under way joins it; one for something else comes after it,
        and is decided when the first is done. `decide` may ask Stripe for a price.
        """
        while True:
            seen, items = self._seen(subscription_id)
            try:
                change = decide(HeldSubscription.held(seen, self), items)
            except PaydeskError:
                if not self._has_finished_another(seen):
                    raise
                continue
            with self._store.write() as connection:
                row = connection.execute(self._store.locked(self._row(subscription_id))).mappings().one()
                if {**row} != {**seen}:
                    continue
                attempt = self._attempts.open(connection, change.verb, subscription_id, change.params)
            self._finish(attempt, row)
            if attempt.params == canonical(change.params):
                return HeldSubscription.held(self._seen(subscription_id)[0], self)

    def _has_finished_another(self, seen: RowMapping) -> bool:
        """Finish a change that was left half-way: what was decided without it may have been decided wrongly."""
        pending = self._attempts.pending(VERBS, seen["id"])
        for attempt in pending:
            self._finish(attempt, seen)
        return bool(pending)

    def _seen(self, subscription_id: str) -> tuple[RowMapping, Sequence[RowMapping]]:
        with self._store.read() as connection:
            row = connection.execute(self._row(subscription_id)).mappings().one()
            return row, connection.execute(self._items(subscription_id)).mappings().all()

    def preview(self, subscription: HeldSubscription, terms: Terms, prorate: Prorate) -> Preview:
        """See HeldSubscription.preview."""
        _, items = self._seen(subscription.id)
        change = swapped(subscription, items, self._resolved(subscription, terms), prorate)
        details = {name: change.params[name] for name in ("items", "proration_behavior")}
        params: Any = {"subscription": subscription.id, "subscription_details": details}
        try:
            invoice = self._stripe_api.read(
                "to preview the change", lambda client: client.v1.invoices.create_preview(params)
            )
        except StripeRefused as refusal:
            raise ChangeRefused(subscription.id, refusal.message.rstrip(".")) from refusal
        return previewed(invoice.to_dict(for_json=True))

    def _resolved(self, subscription: HeldSubscription, terms: Terms) -> Target:
        """The prices and the seats that are meant. May ask Stripe for the prices."""
        code = terms.plan or subscription.plan
        if code is None:
            raise ChangeRefused(subscription.id, "its price is not in the catalog")
        plan = self._catalog.plan(code, is_had=code == subscription.plan)
        if plan.slot != subscription.slot:
            raise ChangeRefused(subscription.id, f"{code!r} is no plan to go over to: it is had beside this one")
        interval = terms.interval
        if interval is None and any(str(offer.every) == subscription.billed_every for offer in plan.offers):
            interval = subscription.billed_every  # who pays by the year goes on paying by the year
        seats = plan.checked_seats(subscription.seats if terms.seats is None else terms.seats)
        is_same = (code, interval) == (subscription.plan, subscription.billed_every)
        if is_same and subscription.price_id is not None:
            return Target(subscription.price_id, seats, None)  # more seats are no reason to lose last year's price
        offer = plan.offer(interval)
        usage_ids = tuple(self._prices.id_of(each) for each in plan.usage_beside(offer))
        return Target(self._prices.id_of(offer), seats, usage_ids)

    def _finish(self, attempt: Attempt, row: RowMapping) -> None:
        try:
            self._attempts.finish(attempt)
        except StripeRefused as refusal:
            self._look(row)  # what we knew may be why
            raise ChangeRefused(row["id"], refusal.message.rstrip("."), code=refusal.code) from refusal
        except OutcomeUnknown:
            self._look(row)  # whoever looks at it now sees whether it was done
            raise
        self._look(row)

    def _look(self, row: RowMapping) -> None:
        """Bring the mirror up to date now. If that fails, the webhook will tell."""
        try:
            self._refresh(Ref("subscription", row["id"]), lane=row["customer_id"])
        except (StripeUnavailable, StripeRefused) as error:
            logger.warning("the subscription is changed, but the mirror shows it later: %s", error)

    def _row(self, subscription_id: str) -> Select[Any]:
        return select(self._table).where(self._table.c.id == subscription_id)

    def _items(self, subscription_id: str) -> Select[Any]:
        items = self._store.tables.subscription_items
        return select(items).where(items.c.subscription_id == subscription_id)


def previewed(invoice: Mapping[str, Any]) -> Preview:
    """The preview in an invoice that Stripe has worked out and not kept."""
    lines = invoice["lines"]["data"]
    due = invoice.get("next_payment_attempt") or invoice.get("period_end")
    return Preview(
        amount_due_minor=invoice["amount_due"],
        currency=invoice["currency"],
        proration_minor=sum(line["amount"] for line in lines if is_proration(line)),
        due_at=datetime.fromtimestamp(due, UTC) if due is not None else None,
        lines=tuple((line.get("description") or "", line["amount"]) for line in lines),
    )
