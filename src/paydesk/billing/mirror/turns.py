"""Turns in the life of a subscription: what it was before and what it is now, compared, and named.

Both are states that Stripe really showed, the later one after the earlier: the mirror is never written backwards. What
came and went between two looks is not told. So each fact says what holds now, in this order: it started or changed,
rests or goes on, is behind or in order again, will end or will not, is over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from collections.abc import Iterator

    from paydesk.billing.facts.subscriptions import Turn
    from paydesk.billing.mirror.shapes import Terms


@dataclass(frozen=True)
class Was:
    """What was known before: the subscription, its terms, and how many turns it had taken."""

    subscription: Subscription
    terms: Terms
    turns: int


def turns(was: Was | None, now: Subscription, terms: Terms, reason: str | None) -> tuple[list[Fact], int]:
    """What has happened, and how many turns the subscription has taken by now.

    | fact                  | when, of two states that follow each other                                |
    |-----------------------|---------------------------------------------------------------------------|
    | SubscriptionStarted   | live now, and was not: unheard of, or incomplete                          |
    | SubscriptionChanged   | live in both, and its items are of other prices or quantities             |
    | SubscriptionPaused    | paused now, and was not                                                   |
    | SubscriptionResumed   | was paused or was to end, is live, and is neither for that reason now     |
    | SubscriptionPastDue   | past_due or unpaid now, and was neither                                   |
    | SubscriptionRecovered | was past_due or unpaid, is live, and is neither now                       |
    | SubscriptionEnding    | is to end now, and was not, or at another time                            |
    | SubscriptionEnded     | was live, and is over                                                     |

    One that is first heard of when it is over tells nothing: for the app it never was.
    """
    before = was.subscription if was is not None and was.subscription.is_live else None
    count = was.turns if was is not None else 0
    if not now.is_live:
        return ([SubscriptionEnded(now, reason)] if before is not None and now.ended else []), count
    facts: list[Fact] = []
    if before is None:
        facts.append(SubscriptionStarted(now))
    elif was is not None and terms != was.terms:
        count += 1
        facts.append(SubscriptionChanged(now, turn=count, previous=before))
    for turn in _taken(before, now):
        count += 1
        facts.append(turn(now, turn=count))
    return facts, count


def _taken(before: Subscription | None, now: Subscription) -> Iterator[type[Turn]]:
    was_paused, was_past_due, was_ending = (
        (before.paused, before.past_due, before.ending) if before is not None else (False, False, False)
    )
    if now.paused and not was_paused:
        yield SubscriptionPaused
    if (was_paused and not now.paused) or (was_ending and not now.ending):
        yield SubscriptionResumed
    if now.past_due and not was_past_due:
        yield SubscriptionPastDue
    if was_past_due and not now.past_due:
        yield SubscriptionRecovered
    if now.ending and (before is None or before.cancels_at != now.cancels_at):
        yield SubscriptionEnding
