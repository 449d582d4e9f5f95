"""Billing settings: the choices that Stripe keeps in its Dashboard, per sandbox."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from tests.conftest import LocalStripe
from tests.emulator.controls import Controls

BEGINNING = {
    "retry_schedule": "smart",
    "retry_window_days": 14,
    "retry_days": [3, 5, 7],
    "subscription_at_end": "cancel",
    "invoice_at_end": "leave_open",
    "upcoming_days": 7,
    "will_be_due_days": 0,
    "overdue_days": 0,
}


def test_a_sandbox_begins_as_stripe_does(controls: Controls) -> None:
    """Eight tries in two weeks, then the subscription is canceled; renewals are announced a week before."""
    assert controls.get("/settings/billing") == BEGINNING


def test_what_is_named_changes_and_the_rest_stays(local_stripe: LocalStripe, controls: Controls) -> None:
    """In this sandbox alone; emptying it brings the beginning back."""
    controls.post("/settings/billing", retry_schedule="custom", retry_days=[1, 2])
    changed = controls.post("/settings/billing", subscription_at_end="unpaid", upcoming_days=0)

    chosen = {"retry_schedule": "custom", "retry_days": [1, 2], "subscription_at_end": "unpaid", "upcoming_days": 0}
    assert changed == controls.get("/settings/billing") == BEGINNING | chosen
    elsewhere = Controls(local_stripe.url, "sk_test_somebody_elses_settings")
    assert elsewhere.get("/settings/billing") == BEGINNING
    elsewhere.close()
    controls.post("/reset")
    assert controls.get("/settings/billing") == BEGINNING


def test_a_form_does_as_well(local_stripe: LocalStripe, key: str, controls: Controls) -> None:
    """As curl sends one; an empty list is an empty text there."""
    for body, days in (("retry_days[]=2&retry_days[]=4", [2, 4]), ("retry_days=", [])):
        answered = httpx2.post(
            f"{local_stripe.url}/_local/settings/billing", content=body, auth=(key, ""), trust_env=False
        )
        assert answered.status_code == 200
        assert controls.get("/settings/billing")["retry_days"] == days


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("retry_schedule", "never"),
        ("retry_window_days", 15),
        ("retry_window_days", 0),
        ("retry_days", 3),
        ("retry_days", [1, 2, 3, 4]),
        ("retry_days", [0]),
        ("retry_days", ["soon"]),
        ("subscription_at_end", "delete"),
        ("invoice_at_end", "void"),
        ("upcoming_days", 46),
        ("will_be_due_days", 61),
        ("overdue_days", -1),
        ("overdue_days", True),
        ("smart", 1),
    ],
)
def test_a_choice_that_does_not_exist_is_refused(controls: Controls, field: str, value: Any) -> None:
    """By name, and nothing changes, not even what was well chosen beside it."""
    refused = controls.ask("POST", "/settings/billing", {"upcoming_days": 3, field: value})

    assert (refused.status_code, refused.json()["error"]["param"]) == (400, field)
    assert controls.get("/settings/billing") == BEGINNING
