"""Any sequence of changes to a subscription: what is billed and given back is explained, line by line."""

from __future__ import annotations

import secrets
from fractions import Fraction
from itertools import pairwise
from typing import Any

import stripe
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from paydesk.emulator.rules.cycles import plus_months
from tests.conftest import LocalStripe
from tests.emulator.clocks import START, advance, clock_at
from tests.emulator.invoicing import customer
from tests.emulator.subscribing import DAY, HOUR, latest, price
from tests.emulator.test_invoice_preview import preview, told_of

AMOUNTS = (0, 700, 2999, 10_000)
RHYTHMS: Any = (("month", 1), ("month", 3), ("year", 1))
PLANS = len(AMOUNTS) * len(RHYTHMS)
Period = tuple[int, int]


class Life:
    """A subscription on a test clock, and a book of what it should have cost, kept from what it looked like."""

    def __init__(self, client: stripe.StripeClient) -> None:
        self.client = client
        self.clock = clock_at(client)
        self.owner = customer(client, test_clock=self.clock.id)
        self.now = START
        self.plans = [
            price(client, amount, every, recurring={"interval_count": count})
            for every, count in RHYTHMS
            for amount in AMOUNTS
        ]
        given: Any = {"customer": self.owner.id, "items": [{"price": self.plans[1].id}, {"price": self.plans[6].id}]}
        self.made = client.v1.subscriptions.create(given)
        # Of each item: from when on, until when, what a whole period costs, and which that is.
        self.spans: dict[str, list[tuple[int, int, int, Period]]] = {}
        self._note(self.made)

    def waits(self, days: int) -> None:
        """Time goes by: fewer days than any period has, so that none is missed."""
        self.now += days * DAY
        advance(self.client, self.clock, self.now)
        self._note(self.client.v1.subscriptions.retrieve(self.made.id))

    def changes(self, *, is_noted: bool = True, **details: Any) -> None:
        """An update: it comes to what its preview says."""
        before = self.client.v1.subscriptions.retrieve(self.made.id)
        told: Any = details
        seen = preview(self.client, self.made, **told)
        after = self.client.v1.subscriptions.update(self.made.id, told)
        if after.latest_invoice != before.latest_invoice:
            assert told_of(latest(self.client, self.made)) == told_of(seen)
        else:
            assert told_of(preview(self.client, self.made)) == told_of(seen)
        if is_noted:
            self._note(after)

    def items(self) -> list[Any]:
        """The items as they are."""
        found: list[Any] = self.client.v1.subscriptions.retrieve(self.made.id)["items"].data
        return found

    def unused(self, plan: int) -> str:
        """A plan that is not sold yet: the one that was meant, or one after it."""
        held = {one.price.id for one in self.items()}
        return next(one.id for one in self.plans[plan:] + self.plans if one.id not in held)

    def _note(self, seen: stripe.Subscription) -> None:
        is_trial = seen.status == "trialing"
        held = {}
        for one in seen["items"].data:
            period = (one.current_period_start, one.current_period_end)
            held[one.id] = (0 if is_trial else one.price.unit_amount * one.quantity, period)
        for name, spans in self.spans.items():
            since, until, cost, period = spans[-1]
            if name not in held:
                spans[-1] = (since, min(until, self.now), cost, period)
        for name, (cost, period) in held.items():
            spans = self.spans.setdefault(name, [])
            is_known = bool(spans) and spans[-1][2:] == (cost, period)
            if is_known:
                continue
            # A period that has begun by itself began with its first second, all else begins now.
            is_next = bool(spans) and period[0] == spans[-1][1] and period[0] <= self.now
            start = period[0] if is_next or not spans else self.now
            start = self.now if not spans and len(self.spans) > 2 else start
            if spans:
                since, until, old_cost, old_period = spans[-1]
                spans[-1] = (since, min(until, start), old_cost, old_period)
            spans.append((start, period[1], cost, period))
            if not is_trial:
                self._check_anchor(seen, period)

    def _check_anchor(self, seen: stripe.Subscription, period: Period) -> None:
        """Every period begins and ends on the anchor's day and time, or on the last day of a shorter month."""
        for moment in period:
            months = round((moment - seen.billing_cycle_anchor) / (30.436875 * DAY))
            assert moment in {plus_months(seen.billing_cycle_anchor, months + step) for step in (-1, 0, 1)}

    def lines(self) -> list[tuple[str, int, Period]]:
        """All that was billed and given back, or waits to be, of each item, with its period."""
        found: list[tuple[str, int, Any]] = []
        for invoice in self.client.v1.invoices.list({"subscription": self.made.id, "limit": 100}).data:
            lines = self.client.v1.invoices.line_items.list(str(invoice.id), {"limit": 100}).data
            assert invoice.total == sum(line.amount for line in lines)
            for line in lines:
                parent: Any = line.parent
                found.append((parent.subscription_item_details.subscription_item, line.amount, line.period))
        for waiting in self.client.v1.invoice_items.list({"pending": True, "limit": 100}).data:
            owner: Any = waiting.parent
            found.append((owner.subscription_details.subscription_item, waiting.amount, waiting.period))
        return [(name, amount, (period.start, period.end)) for name, amount, period in found]

    def check(self) -> None:
        """Each second of each item costs what was in force in it, within one unit a line."""
        lines = self.lines()
        assert {name for name, amount, _ in lines if amount} <= self.spans.keys()
        for name, spans in self.spans.items():
            own = [(amount, period) for item, amount, period in lines if item == name and period[0] < period[1]]
            cuts = sorted({moment for since, until, *_ in spans for moment in (since, until)} | _ends(own))
            for since, until in pairwise(cuts):
                length = until - since
                billed = sum((_share(line, since, length) for line in own if _covers(line[1], since)), Fraction())
                costs = sum(
                    (Fraction(cost * length, whole[1] - whole[0]))
                    for begins, ends, cost, whole in spans
                    if begins <= since < ends
                )
                slack = sum(Fraction(length, end - start) for _, (start, end) in own if _covers((start, end), since))
                assert abs(billed - costs) <= slack, (name, since - START, until - START, billed, costs)


def _ends(lines: list[tuple[int, Period]]) -> set[int]:
    return {moment for _, period in lines for moment in period}


def _covers(period: Period, moment: int) -> bool:
    return period[0] <= moment < period[1]


def _share(line: tuple[int, Period], since: int, length: int) -> Fraction:
    amount, (start, end) = line
    return Fraction(amount * length, end - start)


BEHAVIORS = st.sampled_from(["create_prorations", "always_invoice"])
STEPS = st.one_of(
    st.tuples(st.just("wait"), st.integers(1, 27)),
    st.tuples(st.just("sell"), st.integers(0, 3), st.integers(0, PLANS - 1), st.integers(0, 4), BEHAVIORS),
    st.tuples(st.just("add"), st.integers(0, PLANS - 1), BEHAVIORS),
    st.tuples(st.just("remove"), st.integers(0, 3), BEHAVIORS),
    st.tuples(st.just("anchor"), BEHAVIORS),
    st.tuples(st.just("trial"), st.integers(1, 25), BEHAVIORS),
    st.tuples(st.just("leave"), st.integers(1, 5)),
)


def carry_out(life: Life, step: tuple[Any, ...]) -> None:
    """One step of a life."""
    held = life.items()
    match step:
        case ("wait", days):
            life.waits(days)
        case ("sell", place, plan, quantity, behavior):
            entry = {"id": held[place % len(held)].id, "price": life.unused(plan), "quantity": quantity}
            life.changes(items=[entry], proration_behavior=behavior)
        case ("add", plan, behavior):
            life.changes(items=[{"price": life.unused(plan)}], proration_behavior=behavior)
        case ("remove", place, behavior) if len(held) > 1:
            life.changes(items=[{"id": held[place % len(held)].id, "deleted": True}], proration_behavior=behavior)
        case ("anchor", behavior):
            life.changes(billing_cycle_anchor={"type": "now"}, proration_behavior=behavior)
        case ("trial", days, behavior):
            life.changes(trial_end=life.now + days * DAY, proration_behavior=behavior)
        case ("leave", days) if life.now + 2 * days * DAY < min(one.current_period_end for one in held):
            life.client.v1.subscriptions.update(life.made.id, {"cancel_at": life.now + 2 * days * DAY})
            life.now += days * DAY
            advance(life.client, life.clock, life.now)
            life.client.v1.subscriptions.update(life.made.id, {"cancel_at": ""})


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, min_size=1, max_size=6))
@example(steps=[("wait", 20), ("sell", 0, 9, 2, "create_prorations"), ("wait", 27), ("add", 1, "always_invoice")])
@example(steps=[("wait", 10), ("trial", 25, "create_prorations"), ("add", 2, "always_invoice"), ("wait", 27)])
def test_every_second_costs_what_was_in_force_in_it(local_stripe: LocalStripe, steps: list[tuple[Any, ...]]) -> None:
    """Over prices, quantities, items that come and go, other rhythms, anchors, trials and ends taken back, from the
    last of January on: no second is billed twice, none is given away, and no anchor is lost."""
    client = local_stripe.client(f"sk_test_{secrets.token_hex(12)}")
    life = Life(client)

    for step in steps:
        carry_out(life, step)
    life.check()
    life.waits(27)
    life.check()

    advance(client, life.clock, life.now + 2 * HOUR)
    bills = [one for one in client.v1.invoices.list({"subscription": life.made.id, "limit": 100}).data if one.number]
    balance = client.v1.customers.retrieve(life.owner.id).balance or 0
    assert sum(one.total for one in bills) == sum(one.amount_due for one in bills) + balance
