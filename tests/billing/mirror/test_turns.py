"""What happens to a subscription, named from what was seen of it: every change once, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from paydesk.billing.facts import (
    Fact,
    Subscription,
    SubscriptionChanged,
    SubscriptionEnded,
    SubscriptionEnding,
    SubscriptionPastDue,
    SubscriptionPaused,
    SubscriptionRecovered,
    SubscriptionResumed,
    SubscriptionStarted,
)
from paydesk.billing.mirror.shapes import Terms
from paydesk.billing.mirror.turns import Was, turns

SOON = datetime(2026, 12, 1, tzinfo=UTC)
LATER = SOON + timedelta(days=30)
PRO: Terms = (("price_pro", 1),)
STARTER: Terms = (("price_starter", 1),)

Seen = tuple[str, datetime | None, Terms]


def subscription(status: str, cancels_at: datetime | None = None) -> Subscription:
    return Subscription("sub_1", "ada", "cus_1", "pro", status, cancels_at=cancels_at)


def named(*seen: Seen) -> list[list[Fact]]:
    """The facts at each look at the subscription."""
    was, found = None, []
    for status, cancels_at, terms in seen:
        now = subscription(status, cancels_at)
        facts, count = turns(was, now, terms, "cancellation_requested")
        found.append(facts)
        was = Was(now, terms, count)
    return found


@pytest.mark.parametrize(
    ("before", "now", "facts"),
    [
        (None, ("active", None, PRO), [SubscriptionStarted]),
        (None, ("trialing", None, PRO), [SubscriptionStarted]),
        (None, ("incomplete", None, PRO), []),
        (None, ("past_due", None, PRO), [SubscriptionStarted, SubscriptionPastDue]),
        (None, ("active", SOON, PRO), [SubscriptionStarted, SubscriptionEnding]),
        (None, ("canceled", None, PRO), []),
        (("incomplete", None, PRO), ("active", None, PRO), [SubscriptionStarted]),
        (("incomplete", None, PRO), ("active", None, STARTER), [SubscriptionStarted]),
        (("incomplete", None, PRO), ("incomplete_expired", None, PRO), []),
        (("incomplete", None, PRO), ("canceled", None, PRO), []),
        (("trialing", None, PRO), ("active", None, PRO), []),
        (("active", None, PRO), ("active", None, PRO), []),
        (("active", None, PRO), ("active", None, STARTER), [SubscriptionChanged]),
        (("active", None, PRO), ("active", None, (("price_pro", 2),)), [SubscriptionChanged]),
        (("active", None, PRO), ("past_due", None, PRO), [SubscriptionPastDue]),
        (("past_due", None, PRO), ("unpaid", None, PRO), []),
        (("unpaid", None, PRO), ("active", None, PRO), [SubscriptionRecovered]),
        (("active", None, PRO), ("active", SOON, PRO), [SubscriptionEnding]),
        (("active", SOON, PRO), ("active", SOON, PRO), []),
        (("active", SOON, PRO), ("active", LATER, PRO), [SubscriptionEnding]),
        (("active", SOON, PRO), ("active", None, PRO), [SubscriptionResumed]),
        (("active", None, PRO), ("paused", None, PRO), [SubscriptionPaused]),
        (("paused", None, PRO), ("active", None, PRO), [SubscriptionResumed]),
        (("paused", None, PRO), ("past_due", None, PRO), [SubscriptionResumed, SubscriptionPastDue]),
        (("active", SOON, PRO), ("canceled", SOON, PRO), [SubscriptionEnded]),
        (("past_due", None, PRO), ("canceled", None, PRO), [SubscriptionEnded]),
        (("canceled", None, PRO), ("canceled", None, PRO), []),
        (
            ("active", None, PRO),
            ("past_due", SOON, STARTER),
            [SubscriptionChanged, SubscriptionPastDue, SubscriptionEnding],
        ),
    ],
)
def test_a_turn_is_named_by_what_was_and_what_is(before: Seen | None, now: Seen, facts: list[type[Fact]]) -> None:
    """The whole table."""
    looks = [before, now] if before is not None else [now]

    assert [type(fact) for fact in named(*looks)[-1]] == facts


def test_cancelling_resuming_and_cancelling_again_are_three_facts() -> None:
    """To the same day, even: each has a name of its own."""
    looks = named(
        ("active", None, PRO),
        ("active", SOON, PRO),
        ("active", None, PRO),
        ("active", SOON, PRO),
        ("canceled", SOON, PRO),
    )

    assert [fact.key for facts in looks for fact in facts] == [
        "subscription.started:sub_1",
        "subscription.ending:sub_1:1",
        "subscription.resumed:sub_1:2",
        "subscription.ending:sub_1:3",
        "subscription.ended:sub_1",
    ]


def test_a_fact_survives_the_database() -> None:
    """What a handler gets is what was named, to the last field."""
    (changed,) = named(("active", SOON, PRO), ("active", SOON, STARTER))[-1]

    assert SubscriptionChanged.from_json(changed.to_json()) == changed


statuses = some.sampled_from(["trialing", "active", "past_due", "unpaid", "paused"])
living = some.tuples(statuses, some.sampled_from([None, SOON, LATER]), some.sampled_from([PRO, STARTER]))
beginnings = some.lists(some.just(("incomplete", None, PRO)), max_size=1)
ends = some.lists(some.sampled_from([("canceled", None, PRO), ("canceled", SOON, STARTER)]), max_size=2)
middles = some.lists(living, max_size=12)
lives = some.tuples(beginnings, middles, ends).map(lambda parts: [*parts[0], *parts[1], *parts[2]])


@given(lives, some.data())
def test_who_only_listens_knows_how_things_stand(life: list[Seen], data: some.DataObject) -> None:
    """However often Stripe was looked at in between, the facts lead to the state that was seen last."""
    looks = [seen for seen in life if data.draw(some.booleans())]

    facts = [fact for found in named(*looks) for fact in found]

    known = Listener()
    for fact in facts:
        known.hear(fact)
    assert len({fact.key for fact in facts}) == len(facts)
    assert known.state == standing(looks)


@given(lives)
def test_looking_again_names_nothing(life: list[Seen]) -> None:
    """A duplicate, a sweep, a thanks page: the same state is no news."""
    twice = [seen for seen in life for _ in range(2)]

    assert not any(named(*twice)[1::2])


class Listener:
    """An app that keeps its own books, by the facts alone."""

    def __init__(self) -> None:
        self.state: dict[str, Any] = {"is": "unheard of"}

    def hear(self, fact: Fact) -> None:
        state = self.state
        match fact:
            case SubscriptionStarted():
                assert state == {"is": "unheard of"}
                self.state = {"is": "live", "past due": False, "paused": False, "ends": None}
            case SubscriptionEnded():
                assert state["is"] == "live"
                self.state = {"is": "over"}
            case SubscriptionPastDue() | SubscriptionRecovered():
                state["past due"] = not state["past due"]
                assert state["past due"] == isinstance(fact, SubscriptionPastDue)
            case SubscriptionPaused():
                state["paused"] = True
            case SubscriptionEnding(subscription):
                state["ends"] = subscription.cancels_at
            case SubscriptionResumed(subscription):
                state |= {"paused": subscription.paused, "ends": subscription.cancels_at}


def standing(looks: list[Seen]) -> dict[str, Any]:
    """What is true of the state seen last."""
    was_live = any(status not in {"incomplete", "canceled"} for status, _, _ in looks)
    if not was_live:
        return {"is": "unheard of"}
    status, cancels_at, _ = looks[-1]
    if status == "canceled":
        return {"is": "over"}
    is_past_due = status in {"past_due", "unpaid"}
    return {"is": "live", "past due": is_past_due, "paused": status == "paused", "ends": cancels_at}
