"""Dunning: what the settings mean for the next attempt."""

from __future__ import annotations

import pytest

from paydesk.emulator.rules.dunning import Ending, Settings, ending, is_hopeless, next_attempt

HOUR = 3600
DAY = 24 * HOUR


def tries(settings: Settings) -> list[int]:
    """When an invoice is tried that never gets paid, in seconds after it was finalised."""
    made = [0]
    while True:
        following = next_attempt(settings, finalized_at=0, attempts=len(made), now=made[-1])
        if following is None:
            return made
        made.append(following)


@pytest.mark.parametrize(
    ("window", "first"), [(7, 16 * HOUR), (14, 32 * HOUR), (21, 48 * HOUR), (30, None), (60, None)]
)
def test_smart_retries_are_eight_tries_within_their_window(window: int, first: int | None) -> None:
    """The first retry after 32 hours where the window is two weeks, and in proportion for others."""
    made = tries(Settings(retry_window_days=window))

    assert len(made) == 8
    assert made == sorted(set(made))
    assert made[-1] <= window * DAY
    assert first is None or made[1] == first


@pytest.mark.parametrize(
    ("days", "made"),
    [((), [0]), ((1,), [0, DAY]), ((3, 5, 7), [0, 3 * DAY, 8 * DAY, 15 * DAY])],
)
def test_a_schedule_of_ones_own_counts_from_the_try_before(days: tuple[int, ...], made: list[int]) -> None:
    """None at all is a schedule too."""
    assert tries(Settings(retry_schedule="custom", retry_days=days)) == made


def test_a_retry_that_would_lie_in_the_past_comes_in_an_hour() -> None:
    """Where an invoice was left to advance long after it was finalised."""
    assert next_attempt(Settings(), finalized_at=0, attempts=1, now=40 * DAY) == 40 * DAY + HOUR


def test_the_end_is_what_was_chosen() -> None:
    """By default the subscription is canceled and the invoice left open."""
    assert ending(Settings()) == Ending(subscription="cancel", invoice="leave_open")
    assert ending(Settings(subscription_at_end="unpaid", invoice_at_end="uncollectible")) == Ending(
        "unpaid", "uncollectible"
    )


@pytest.mark.parametrize(
    ("code", "decline_code", "hopeless"),
    [
        ("card_declined", "lost_card", True),
        ("card_declined", "stolen_card", True),
        ("card_declined", "pickup_card", True),
        ("card_declined", "revocation_of_authorization", True),
        ("card_declined", "revocation_of_all_authorizations", True),
        ("card_declined", "highest_risk_level", True),
        ("card_declined", "transaction_not_allowed", True),
        ("authentication_required", "authentication_required", True),
        ("incorrect_number", None, True),
        ("card_declined", "generic_decline", False),
        ("card_declined", "insufficient_funds", False),
        ("expired_card", None, False),
        (None, None, False),
    ],
)
def test_some_declines_leave_no_hope(code: str | None, decline_code: str | None, hopeless: bool) -> None:
    """The codes after which Stripe does not try the same card again."""
    assert is_hopeless(code, decline_code) is hopeless
