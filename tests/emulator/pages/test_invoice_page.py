"""The hosted invoice page: what is owed, and a card to pay it with."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
import stripe

from tests.conftest import LocalStripe
from tests.emulator.invoicing import customer, intent_of, opened
from tests.emulator.paying import answer_bank, events
from tests.emulator.subscribing import latest, lines, price, subscribed
from tests.emulator.wire import Reply, Wire

FORM = {
    "card_number": "4242 4242 4242 4242",
    "card_expiry": "12 / 40",
    "card_cvc": "123",
    "name": "Ada Lovelace",
    "country": "US",
    "postal_code": "42424",
}


@pytest.fixture
def visitor(local_stripe: LocalStripe) -> Wire:
    """Somebody with an address and no key."""
    return Wire(local_stripe.url, None)


def path_of(url: str | None) -> str:
    """Where a page is on its server."""
    assert url is not None
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


def submit(visitor: Wire, invoice: stripe.Invoice, **changes: str) -> Reply:
    """Post the form, as a browser does."""
    return visitor.post(path_of(invoice.hosted_invoice_url), urlencode(FORM | changes))


def show(visitor: Wire, invoice: stripe.Invoice) -> str:
    """The page's HTML."""
    page = visitor.get(path_of(invoice.hosted_invoice_url))
    assert page.status == 200
    return page.body.decode()


def status(client: stripe.StripeClient, invoice: stripe.Invoice) -> str | None:
    """Where the invoice stands now."""
    return client.v1.invoices.retrieve(invoice.id).status


def test_a_price_in_tiers_is_shown_band_by_band(client: stripe.StripeClient, visitor: Wire) -> None:
    """With how many fell into each; a flat fee is for no number of anything."""
    tiers: Any = [{"up_to": 10, "unit_amount": 0, "flat_amount": 900}, {"up_to": "inf", "unit_amount": 300}]
    more: Any = {"unit_amount": None, "billing_scheme": "tiered", "tiers_mode": "graduated", "tiers": tiers}
    made = subscribed(client, items=[{"price": price(client, **more).id, "quantity": 12}])

    invoice = latest(client, made)
    page = show(visitor, invoice)

    assert lines(invoice) == [
        ("10 × Pro (Tier 1 at $0.00 / month)", 0),
        ("Pro (Tier 1 at $9.00 / month)", 900),
        ("2 × Pro (Tier 2 at $3.00 / month)", 600),
    ]
    assert all(words in page for words in ("Pro (Tier 1 at $9.00 / month)", "Qty 10", "$15.00"))
    assert "Qty 0" not in page


def test_an_invoice_is_paid_on_its_page(client: stripe.StripeClient, visitor: Wire) -> None:
    """It shows what is owed and for what; afterwards it says so, and leads to the receipt."""
    ada = customer(client, None, balance=-500, tax_id_data=[{"type": "eu_vat", "value": "DE123456789"}])
    own = client.v1.tax_ids.create({"type": "us_ein", "value": "12-3456789"})
    more: Any = {"description": "June", "footer": "Thank you", "account_tax_ids": [own.id]}
    invoice = opened(client, ada, 1500, 700, **more)
    before = show(visitor, invoice)

    answer = submit(visitor, invoice)

    after = show(visitor, invoice)
    assert all(words in before for words in ("$17.00", "$22.00", "−$5.00", "June", "Thank you", "Ada Lovelace"))
    assert all(number in before for number in ("EU VAT DE123456789", "US EIN 12-3456789"))
    assert str(invoice.number) in before
    assert (answer.status, answer.headers["location"]) == (303, invoice.hosted_invoice_url)
    assert status(client, invoice) == "paid"
    assert "Amount paid" in after
    assert "/receipts/ch_" in after
    assert 'name="card_number"' not in after
    assert events(client, "invoice.finalized")[-3:] == [
        "invoice.paid",
        "invoice.payment_succeeded",
        "invoice_payment.paid",
    ]


def test_credit_notes_are_shown_and_led_to(client: stripe.StripeClient, visitor: Wire) -> None:
    """What is due is less by them; each is a PDF, which nobody can guess, and a withdrawn one is not shown."""
    invoice = opened(client, customer(client), 1500)
    void, note = (client.v1.credit_notes.create({"invoice": invoice.id, "amount": amount}) for amount in (100, 400))
    client.v1.credit_notes.void_credit_note(void.id)

    page = show(visitor, invoice)
    paper = visitor.get(path_of(note.pdf))
    guessed = visitor.get(path_of(note.pdf.replace("/pdf", "x/pdf")))

    assert all(words in page for words in ("Pay $11.00", "−$4.00", str(note.number), note.pdf.replace("&", "&amp;")))
    assert str(void.number) not in page
    assert (paper.status, paper.headers["content-type"]) == (200, "application/pdf")
    assert paper.body.startswith(b"%PDF")
    assert f"Credit-note-{note.number}.pdf" in paper.headers["content-disposition"]
    assert guessed.status == 404


def test_a_decline_is_said_in_plain_words(client: stripe.StripeClient, visitor: Wire) -> None:
    """The invoice stays open, nothing of the card is shown again, and another card pays."""
    invoice = opened(client, customer(client, None), 1500)

    declined = submit(visitor, invoice, card_number="4000000000000002")
    page = declined.body.decode()
    between = status(client, invoice)
    submit(visitor, invoice)

    assert declined.status == 402
    assert "declined" in page
    assert "4000000000000002" not in page.partition("</form>")[0].replace('value="4000000000000002"', "")
    assert (between, status(client, invoice)) == ("open", "paid")


@pytest.mark.parametrize(("answer", "ending"), [("complete", "paid"), ("fail", "open")])
def test_the_bank_may_ask_the_payer(client: stripe.StripeClient, visitor: Wire, answer: str, ending: str) -> None:
    """The browser goes to the bank's page and comes back to the invoice."""
    invoice = opened(client, customer(client, None), 1500)

    sent = submit(visitor, invoice, card_number="4000002760003184")
    back = answer_bank(intent_of(client, invoice), answer)

    assert sent.status == 303
    assert "/3d_secure_2/hosted" in sent.headers["location"]
    returned = back.headers["location"]
    assert returned.startswith(str(invoice.hosted_invoice_url))
    assert status(client, invoice) == ending
    page = visitor.get(path_of(returned)).body.decode()
    assert ("Amount paid" if answer == "complete" else 'role="alert"') in page


def test_what_is_missing_is_asked_for(client: stripe.StripeClient, visitor: Wire) -> None:
    """Field by field, before any bank is."""
    invoice = opened(client, customer(client, None), 1500)

    answer = submit(visitor, invoice, card_number="42", name="")

    assert answer.status == 422
    assert "Your card number is incomplete." in answer.body.decode()
    assert intent_of(client, invoice).last_payment_error is None


def test_a_test_card_pays_with_one_click(client: stripe.StripeClient, visitor: Wire) -> None:
    """Without a script: the button fills in what is missing."""
    invoice = opened(client, customer(client, None), 1500)

    visitor.post(path_of(invoice.hosted_invoice_url), urlencode({"test_card": "4242424242424242"}))

    assert status(client, invoice) == "paid"


def test_a_second_click_charges_nothing(client: stripe.StripeClient, visitor: Wire) -> None:
    """The page says that it was paid."""
    ada = customer(client, None)
    invoice = opened(client, ada, 1500)

    submit(visitor, invoice)
    again = submit(visitor, invoice)

    assert "Amount paid" in again.body.decode()
    assert len(client.v1.charges.list({"customer": ada.id}).data) == 1


def test_an_invoice_opens_only_to_its_whole_address(client: stripe.StripeClient, visitor: Wire) -> None:
    """Knowing its id is not enough; a withdrawn one says so, a draft has no page."""
    ada = customer(client, None)
    invoice = opened(client, ada, 1500)
    path = path_of(invoice.hosted_invoice_url).partition("?")[0]
    client.v1.invoices.void_invoice(invoice.id)
    draft: Any = client.v1.invoices.create({"customer": ada.id})
    account = path.split("/")[2]

    assert "withdrawn" in show(visitor, invoice)
    assert visitor.get(path[:-1]).status == 404
    assert visitor.get(f"/i/{account}/test_{invoice.id[3:]}").status == 404
    assert visitor.get(f"/i/{account}/test_{draft.id[3:]}").status == 404
    assert visitor.get(path.replace(account, "acct_other")).status == 404


def test_an_invoice_can_be_had_on_paper(client: stripe.StripeClient, visitor: Wire) -> None:
    """`invoice_pdf` is a PDF of what the page says, and always the same one; what people wrote in it is only text."""
    invoice = opened(client, customer(client, None), 1500, description="June <b>& July", footer="Thank you")

    first, again = (visitor.get(path_of(invoice.invoice_pdf)) for _ in range(2))

    assert first.status == 200
    assert first.headers["content-type"] == "application/pdf"
    assert f"Invoice-{invoice.number}.pdf" in first.headers["content-disposition"]
    assert first.body.startswith(b"%PDF-")
    assert first.body == again.body


def test_discounts_are_shown_where_they_count(client: stripe.StripeClient, visitor: Wire) -> None:
    """A line's own below the line, those of the whole after the subtotal, by the name the customer knows."""
    ada = customer(client, None)
    house, spring = (client.v1.coupons.create({"percent_off": percent, "name": "House"}) for percent in (10, 25))
    promotion = client.v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": spring.id}, "code": "JUNE"})
    draft = client.v1.invoices.create({"customer": ada.id, "discounts": [{"promotion_code": promotion.id}]})
    client.v1.invoices.add_lines(
        draft.id, {"lines": [{"amount": 2000, "discounts": [{"coupon": house.id}]}, {"amount": 600}]}
    )

    page = show(visitor, client.v1.invoices.finalize_invoice(draft.id))

    places = [page.index(words) for words in ("House", "−$2.00", "Subtotal", "$24.00", "JUNE", "25% off", "−$6.00")]
    assert places == sorted(places)
    assert "Pay $18.00" in page
    assert ">Tax<" not in page


def test_nobody_finds_an_invoices_paper_without_its_secret(client: stripe.StripeClient, visitor: Wire) -> None:
    """The id alone opens nothing."""
    invoice = opened(client, customer(client, None), 1500)
    path = path_of(invoice.invoice_pdf)
    at = path.index(invoice.id.removeprefix("in_")) + 26

    assert visitor.get(path[:at] + ("A" if path[at] != "A" else "B") + path[at + 1 :]).status == 404
