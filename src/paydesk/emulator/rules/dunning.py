"""Dunning: when an invoice that could not be collected is tried again, and what becomes of it when it is given up.

Stripe keeps these choices in its Dashboard. Here they are the settings of a sandbox.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_HOUR: Final = 3600
_DAY: Final = 24 * _HOUR

SCHEDULES: Final = ("smart", "custom")
WINDOWS_DAYS: Final = (7, 14, 21, 30, 60)
RETRIES_MAX: Final = 3
SUBSCRIPTION_ENDS: Final = ("cancel", "unpaid", "past_due")
INVOICE_ENDS: Final = ("leave_open", "uncollectible")

# Stripe chooses the times of its eight tries within two weeks itself; the first was seen after 32 hours.
_SMART_WINDOW_DAYS: Final = 14
_SMART_SECONDS: Final = (32 * _HOUR, 3 * _DAY, 5 * _DAY, 7 * _DAY, 9 * _DAY, 11 * _DAY, 13 * _DAY)

# Declines after which the same card is not tried again.
_HOPELESS: Final = frozenset(
    (
        "authentication_required",
        "highest_risk_level",
        "incorrect_number",
        "lost_card",
        "pickup_card",
        "revocation_of_all_authorizations",
        "revocation_of_authorization",
        "stolen_card",
        "transaction_not_allowed",
    )
)


@dataclass(frozen=True)
class Settings:
    """How a business goes after its money.

    `smart` retries spread eight tries over `retry_window_days`; `custom` ones come so many days after the try before as
    `retry_days` says. `upcoming_days` before a renewal it is announced, and `will_be_due_days` before its due date an
    invoice is; 0 never. A subscription whose invoices are sent ends `overdue_days` after the due date, 0 never.
    """

    retry_schedule: str = "smart"
    retry_window_days: int = _SMART_WINDOW_DAYS
    retry_days: tuple[int, ...] = (3, 5, 7)
    subscription_at_end: str = "cancel"
    invoice_at_end: str = "leave_open"
    upcoming_days: int = 7
    will_be_due_days: int = 0
    overdue_days: int = 0


@dataclass(frozen=True)
class Ending:
    """What becomes of a subscription, and of its invoice, that nobody paid."""

    subscription: str
    invoice: str


def next_attempt(settings: Settings, *, finalized_at: int, attempts: int, now: int) -> int | None:
    """When an invoice is tried again after this many attempts; None when it is given up."""
    made = max(attempts, 1)
    if settings.retry_schedule == "custom":
        return now + settings.retry_days[made - 1] * _DAY if made <= len(settings.retry_days) else None
    if made > len(_SMART_SECONDS):
        return None
    waits = _SMART_SECONDS[made - 1] * settings.retry_window_days // _SMART_WINDOW_DAYS
    return max(finalized_at + waits, now + _HOUR)


def reminder(settings: Settings, due_date: int) -> int | None:
    """When an invoice is said to be due soon; None: not at all."""
    return due_date - settings.will_be_due_days * _DAY if settings.will_be_due_days else None


def overdue_end(settings: Settings, due_date: int) -> int | None:
    """When an invoice that is overdue ends its subscription; None: not at all."""
    return due_date + settings.overdue_days * _DAY if settings.overdue_days else None


def ending(settings: Settings) -> Ending:
    """What follows when the last attempt has failed."""
    return Ending(settings.subscription_at_end, settings.invoice_at_end)


def is_hopeless(code: str | None, decline_code: str | None) -> bool:
    """Whether a bank that declined so will do it again, however often the same card is tried."""
    return bool(_HOPELESS & {code, decline_code})
