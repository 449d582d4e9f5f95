"""The hosted invoice page in a real browser, with and without a script."""

from __future__ import annotations

import stripe
from playwright.sync_api import Page, expect

from tests.emulator.invoicing import customer, opened


def test_an_open_invoice_is_paid_after_the_bank_asked(phone: Page, client: stripe.StripeClient) -> None:
    """On a phone: refused once at the bank, then confirmed; the page then says that it is paid."""
    invoice = opened(client, customer(client, None), 1500)
    phone.goto(str(invoice.hosted_invoice_url))

    for answer in ("Fail", "Complete"):
        phone.get_by_role("button", name="Asks 3-D Secure").click()
        phone.get_by_role("button", name="Pay $15.00").click()
        phone.get_by_role("button", name=answer).click()
        if answer == "Fail":
            expect(phone.get_by_role("alert")).to_contain_text("authenticate")

    expect(phone.get_by_text("Amount paid")).to_be_visible()
    assert client.v1.invoices.retrieve(invoice.id).status == "paid"
    phone.get_by_role("link", name="Receipt").click()
    expect(phone.get_by_text("Receipt from")).to_be_visible()


def test_an_invoice_is_paid_without_a_script(plain_page: Page, client: stripe.StripeClient) -> None:
    """A declined card first, then another one."""
    invoice = opened(client, customer(client, None), 1500)
    plain_page.goto(str(invoice.hosted_invoice_url))

    plain_page.get_by_role("button", name="Declined", exact=False).first.click()
    expect(plain_page.get_by_role("alert")).to_contain_text("declined")
    plain_page.get_by_role("button", name="Succeeds").click()

    expect(plain_page.get_by_text("Amount paid")).to_be_visible()
    assert client.v1.invoices.retrieve(invoice.id).status == "paid"
