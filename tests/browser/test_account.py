"""The account page in a real browser: nothing sticks out, and everything can be reached by keyboard."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from paydesk.billing.accounts import Account, Holding
from paydesk.billing.catalog_portal import Portal
from paydesk.billing.facts import Invoice, Subscription
from paydesk.billing.money import Money
from paydesk.billing.offer import Offer
from paydesk.billing.plans import Plan
from paydesk.billing.subscriptions import HeldSubscription
from paydesk.billing.web.pages import Pages, Shop

if TYPE_CHECKING:
    from playwright.sync_api import Page

DAY = datetime(2026, 12, 3, tzinfo=UTC)
LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
PLAN = Plan("pro", LONG, (Offer("pro", "pro", Money(2900, "usd"), "pro"),), features={"a": LONG, "b": f"{LONG} " * 3})


def subscription(**changes: Any) -> HeldSubscription:
    known = Subscription(
        id="sub_1",
        user_id="ada",
        customer_id="cus_1",
        plan="pro",
        status="active",
        seats=12,
        amount_minor=123_450_00,
        currency="usd",
        billed_every="month",
        current_period_end=DAY,
    )
    told = {each.name: getattr(known, each.name) for each in fields(known)} | changes
    return HeldSubscription(**told, _verbs=None)  # type: ignore[arg-type]  # nothing is changed here


def invoice(number: int, **changes: Any) -> Invoice:
    told: dict[str, Any] = {
        "id": f"in_{number}",
        "user_id": "ada",
        "customer_id": "cus_1",
        "subscription_id": "sub_1",
        "number": f"{LONG}-{number}",
        "status": "open",
        "billing_reason": "subscription_cycle",
        "currency": "usd",
        "total_minor": 123_450_00,
        "amount_due_minor": 123_450_00,
        "amount_paid_minor": 0,
        "amount_remaining_minor": 123_450_00,
        "hosted_invoice_url": "http://127.0.0.1:1/i",
        "invoice_pdf": "http://127.0.0.1:1/i/pdf",
        "created_at": DAY,
    }
    return Invoice(**told | changes)


def shown(account: Account) -> str:
    shop = Shop.at("https://shop.example", prefix="/billing", name=None, livemode=False)
    return Pages(shop).account(account, Portal())


@pytest.mark.parametrize("width", [1280, 390, 320])
def test_long_names_and_many_invoices_stay_on_the_page(page: Page, width: int) -> None:
    """Whatever a plan is called: nobody has to scroll sideways."""
    unpaid = invoice(1)
    holding = Holding(subscription(status="past_due"), PLAN, unpaid, has_choice=True)
    page.set_viewport_size({"width": width, "height": 800})

    paid = [invoice(each, status="paid") for each in range(2, 40)]
    page.set_content(shown(Account((holding, holding), (unpaid, *paid))))

    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_what_is_owed_is_the_first_thing_the_keyboard_reaches(plain_page: Page) -> None:
    """After the shop's own name, and without a script."""
    unpaid = invoice(1)
    holding = Holding(subscription(status="past_due"), PLAN, unpaid, has_choice=True)
    plain_page.set_content(shown(Account((holding,), (unpaid,))))

    reached = []
    for _ in range(4):
        plain_page.keyboard.press("Tab")
        reached.append(plain_page.locator(":focus").inner_text())

    assert reached[2:] == ["Pay $123,450.00 now", "Use another card"]


def test_whoever_is_on_trial_can_give_a_card(plain_page: Page) -> None:
    """Before there is any invoice."""
    trial = subscription(status="trialing", trial_ends_at=DAY)
    plain_page.set_content(shown(Account((Holding(trial, PLAN, None, has_choice=True),), ())))

    link = plain_page.get_by_role("link", name="Cards and billing details")

    assert link.get_attribute("href") == "/billing/billing-portal"
