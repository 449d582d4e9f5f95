"""The account page: how things stand, what there is to do, and every invoice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from paydesk.billing.catalog import Catalog
from paydesk.billing.catalog_portal import Portal
from paydesk.billing.customers import User
from paydesk.billing.desk import Paydesk
from paydesk.billing.settings import Settings
from paydesk.billing.web.account import AccountView, view_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
CATALOG = """
[plans.pro]
name = "Pro"
price = ["$29/mo", "$290/yr"]
features = { export = "Export to anything" }
[plans.support]
name = "Telephone"
price = "$99/mo"
slot = "support"
"""
ADA = User("ada")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Paydesk]:
    secrets = {
        "STRIPE_SECRET_KEY": "sk_test_account",
        "STRIPE_WEBHOOK_SECRET": "whsec_account",
        "BASE_URL": "https://shop.example",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'shop.db'}",
    }
    opened = Paydesk(Settings.read(secrets), catalog=Catalog.parse(CATALOG), prefix="/billing", now=lambda: NOW)
    opened.open()
    yield opened
    opened.close()


def has(desk: Paydesk, **changes: Any) -> None:
    """A subscription of Ada's, as the mirror would have written it."""
    row = {
        "id": "sub_1",
        "user_id": "ada",
        "plan": "pro",
        "slot": "main",
        "status": "active",
        "seats": 1,
        "amount_minor": 2900,
        "currency": "usd",
        "billed_every": "month",
        "current_period_end": NOW + timedelta(days=10),
        "livemode": False,
        "created_at": NOW,
    }
    with desk.store.write() as connection:
        connection.execute(desk.store.tables.subscriptions.insert().values(**row | changes))


def owes(desk: Paydesk, number: int = 1, **changes: Any) -> None:
    """An invoice of Ada's, as the mirror would have written it."""
    row = {
        "id": f"in_{number}",
        "user_id": "ada",
        "subscription_id": "sub_1",
        "number": f"ABC-000{number}",
        "status": "open",
        "currency": "usd",
        "total_minor": 2900,
        "amount_due_minor": 2900,
        "amount_paid_minor": 0,
        "amount_remaining_minor": 2900,
        "attempt_count": 1,
        "hosted_invoice_url": f"https://pay.example/i/{number}",
        "invoice_pdf": f"https://pay.example/i/{number}/pdf",
        "livemode": False,
        "created_at": NOW - timedelta(days=30 * number),
    }
    with desk.store.write() as connection:
        connection.execute(desk.store.tables.invoices.insert().values(**row | changes))


def seen(desk: Paydesk) -> AccountView:
    return view_of(desk.account(ADA), desk.prefix, desk.catalog.portal)


@pytest.mark.parametrize(
    ("changes", "state", "sentence", "steps"),
    [
        ({}, "Active", "It renews on 3 December 2026.", ["Change plan", "Cancel"]),
        (
            {"status": "trialing", "trial_ends_at": NOW + timedelta(days=3)},
            "Trial",
            "Free until 26 November 2026. The first payment is due then.",
            ["Change plan", "Cancel"],
        ),
        (
            {"cancels_at": NOW + timedelta(days=10)},
            "Ends soon",
            "It is cancelled, and yours until 3 December 2026.",
            ["Keep it"],
        ),
        (
            {"status": "past_due", "past_due_since": NOW - timedelta(days=2)},
            "Payment missing",
            "While the payment is missing, it is yours until 28 November 2026.",
            ["Change plan", "Cancel"],
        ),
        ({"status": "paused"}, "Paused", "Nothing is charged while it rests.", ["Go on"]),
        (
            {"status": "canceled", "ended_at": NOW - timedelta(days=1)},
            "Ended",
            "It ended on 22 November 2026. You are welcome back.",
            ["See the plans"],
        ),
    ],
)
def test_a_plan_says_how_it_stands_and_what_can_be_done(
    desk: Paydesk, changes: dict[str, Any], state: str, sentence: str, steps: list[str]
) -> None:
    """In a word, in a sentence, and in buttons."""
    has(desk, **changes)

    (plan,) = seen(desk).plans

    assert (plan.name, plan.state, plan.sentence) == ("Pro", state, sentence)
    assert [step.label for step in plan.steps] == steps
    assert plan.features == ("Export to anything",)


@pytest.mark.parametrize(
    ("invoice", "title", "steps"),
    [
        (
            {"next_attempt_at": NOW + timedelta(days=2)},
            "Your last payment did not go through",
            [("Pay $29.00 now", "https://pay.example/i/1"), ("Use another card", "/billing/billing-portal?to=card")],
        ),
        (
            {"attempt_count": 0},
            "Your bank needs you",
            [("Pay $29.00 now", "https://pay.example/i/1"), ("Use another card", "/billing/billing-portal?to=card")],
        ),
        (None, "A payment is missing", [("Use another card", "/billing/billing-portal?to=card")]),
    ],
)
def test_a_missing_payment_is_told_with_the_quickest_way_out(
    desk: Paydesk, invoice: dict[str, Any] | None, title: str, steps: list[tuple[str, str]]
) -> None:
    """Pay now, pass the bank's check, or give another card."""
    has(desk, status="past_due", past_due_since=NOW)
    if invoice is not None:
        owes(desk, **invoice)

    (banner,) = seen(desk).banners

    assert banner.title == title
    assert [(step.label, step.url) for step in banner.steps] == steps
    assert banner.steps[0].is_urging


def test_of_several_plans_the_banner_says_which_is_not_paid(desk: Paydesk) -> None:
    """Whoever has a plan and a telephone knows what they would lose."""
    has(desk)
    has(desk, id="sub_2", plan="support", slot="support", status="past_due", past_due_since=NOW)

    (banner,) = seen(desk).banners

    assert banner.title == "Telephone: A payment is missing"


def test_invoices_are_listed_newest_first_with_their_documents(desk: Paydesk) -> None:
    """Drafts, void ones, deleted ones, other people's and the other mode's are not."""
    owes(desk, 1)
    owes(desk, 2, status="paid", amount_paid_minor=2900, amount_remaining_minor=0)
    others: list[dict[str, Any]] = [
        {"status": "draft"},
        {"status": "void"},
        {"deleted_at": NOW},
        {"user_id": "grace"},
        {"livemode": True},
    ]
    for number, hidden in enumerate(others, 3):
        owes(desk, number, **hidden)

    bills = seen(desk).bills

    assert [(bill.number, bill.amount, bill.state) for bill in bills] == [
        ("ABC-0001", "$29.00", "Open"),
        ("ABC-0002", "$29.00", "Paid"),
    ]
    assert bills[1].pdf_url == "https://pay.example/i/2/pdf"


def test_what_the_portal_does_not_offer_is_no_button(desk: Paydesk) -> None:
    """A link that Stripe would refuse helps nobody."""
    has(desk)

    (plan,) = view_of(desk.account(ADA), "", Portal(cancel="no", switch=False)).plans

    assert plan.steps == ()


def test_the_buttons_of_each_slot_are_about_its_own_plan(desk: Paydesk) -> None:
    """Whoever cancels the telephone keeps the plan; and where there is one plan at one price, there is no other."""
    has(desk)
    has(desk, id="sub_2", plan="support", slot="support")

    main, support = seen(desk).plans

    assert [(step.label, step.url) for step in main.steps] == [
        ("Change plan", "/billing/billing-portal?to=switch"),
        ("Cancel", "/billing/billing-portal?to=cancel"),
    ]
    assert [(step.label, step.url) for step in support.steps] == [
        ("Cancel", "/billing/billing-portal?to=cancel&slot=support"),
    ]


def test_each_slot_has_its_own_plan_on_the_page(desk: Paydesk) -> None:
    """What was had beside the plan is shown beside it, and what is unknown to the catalog has a name all the same."""
    has(desk, plan=None, seats=3, amount_minor=8700)
    has(desk, id="sub_2", plan="support", slot="support", amount_minor=9900)

    plans = seen(desk).plans

    assert [(plan.name, plan.price, plan.seats) for plan in plans] == [
        ("Your plan", "$87 every month", "3 seats"),
        ("Telephone", "$99 every month", None),
    ]


def test_the_page_holds_what_it_should(desk: Paydesk) -> None:
    """Rendered whole, with every text escaped."""
    has(desk, status="past_due", past_due_since=NOW)
    owes(desk, number=1, hosted_invoice_url='https://pay.example/"><script>')

    page = desk.pages.account(desk.account(ADA), desk.catalog.portal)

    assert "Your last payment did not go through" in page
    assert "<script>" not in page
    assert 'href="/billing/billing-portal?to=card"' in page
    assert "ABC-0001" in page
