"""Mails about money: through a real mail server, about what a real local Stripe did, each once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update

from paydesk.billing.facts import InvoicePaid
from tests.billing.mailbox import Mailbox
from tests.billing.paying import pay
from tests.billing.subscriber import ADA, Subscriber
from tests.billing.till import Till
from tests.emulator.controls import Controls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import stripe

    from paydesk.billing.post import Mail
    from tests.billing.conftest import Clock
    from tests.billing.wire import Wire

HOUR = 3600
DAY = 24 * HOUR
MONTH = 31 * DAY + 2 * HOUR


@pytest.fixture
def open_till(database_url: str, wire: Wire, key: str, clock: Clock, box: Mailbox) -> Iterator[Callable[..., Till]]:
    """Opens a process of an app that sends through the mailbox, or as it is told."""
    opened: list[Till] = []

    def open_(**options: Any) -> Till:
        secrets = {"MAIL_URL": box.url_with_password, "MAIL_FROM": "The Bookshop <billing@shop.example>"}
        till = Till(database_url, wire, key, clock, **{"secrets": secrets, "name": "The Bookshop", **options})
        opened.append(till)
        return till

    yield open_
    for till in opened:
        till.desk.close()


@pytest.fixture
def till(open_till: Callable[..., Till], client: stripe.StripeClient) -> Till:
    till = open_till()
    till.desk.catalog.push(client)
    return till


@pytest.fixture
def ada(till: Till, client: stripe.StripeClient) -> Subscriber:
    return Subscriber(till, client)


def has_card(ada: Subscriber, card: str) -> None:
    """From now on she pays with another card."""
    method = ada.client.v1.payment_methods.attach(card, {"customer": ada.customer.id})
    ada.client.v1.customers.update(ada.customer.id, {"invoice_settings": {"default_payment_method": method.id}})


def open_invoice(ada: Subscriber) -> stripe.Invoice:
    (invoice,) = ada.client.v1.invoices.list({"customer": ada.customer.id, "status": "open"}).data
    return invoice


def test_a_failed_renewal_is_told_with_the_way_to_pay(ada: Subscriber, box: Mailbox, controls: Controls) -> None:
    """To the customer, once, though Stripe tells everything twice; and its payment has its receipt."""
    ada.subscribes()
    assert box.subjects == ["[Test] Your receipt: $29.00 for Pro"]
    has_card(ada, "pm_card_chargeCustomerFail")

    controls.push(MONTH)
    ada.hears()
    ada.hears()

    invoice = open_invoice(ada)
    assert box.subjects[1:] == ["[Test] Your payment of $29.00 for Pro did not go through"]
    assert box.recipients == ["ada@example.com"] * 2
    for part in ("plain", "html"):
        assert str(invoice.hosted_invoice_url) in box.part(part)
        assert "https://shop.example/account" in box.part(part)
    again = datetime.fromtimestamp(invoice.next_payment_attempt or 0, UTC)
    assert f"We try again on {again.day} {again:%B %Y}" in box.part("plain")

    has_card(ada, "pm_card_visa")
    ada.client.v1.invoices.pay(invoice.id)
    ada.hears()

    assert box.subjects[2:] == ["[Test] Your receipt: $29.00 for Pro"]
    assert str(invoice.number) in box.part("html")


def test_each_failed_try_is_told_once_and_then_the_end(ada: Subscriber, box: Mailbox, controls: Controls) -> None:
    """A further try is another step. The last one is told by the end it brings."""
    controls.post("/settings/billing", retry_schedule="custom", retry_days=[3, 3], subscription_at_end="cancel")
    ada.subscribes()
    has_card(ada, "pm_card_chargeCustomerFail")

    for days in (31, 4, 4):
        controls.push(days * DAY + 2 * HOUR)
        ada.hears()
        ada.hears()

    failed = "[Test] Your payment of $29.00 for Pro did not go through"
    assert box.subjects[1:] == [failed, failed, "[Test] Pro has ended"]
    assert "because its payment did not arrive" in box.part("plain")


def test_a_bank_that_asks_is_told_with_the_link_that_answers(ada: Subscriber, box: Mailbox, controls: Controls) -> None:
    """The hosted invoice, where the bank can ask."""
    ada.subscribes()
    has_card(ada, "pm_card_authenticationRequired")

    controls.push(MONTH)
    ada.hears()

    assert box.subjects[1:] == ["[Test] Your bank asks you to confirm $29.00"]
    assert str(open_invoice(ada).hosted_invoice_url) in box.part("plain")


def test_a_trial_that_ends_is_told_and_what_follows(ada: Subscriber, box: Mailbox, controls: Controls) -> None:
    """Three days before, with the price; nothing was paid yet, so there is no receipt before."""
    ada.subscribes(trial_period_days=7)
    assert box.mails == []

    controls.push(5 * DAY)
    ada.hears()

    (subject,) = box.subjects
    assert subject.startswith("[Test] Your trial of Pro ends on ")
    assert "for $29.00 every month" in box.part("plain")
    assert "From then on" in box.part("html")


def test_a_card_that_expires_before_it_is_needed_is_told(ada: Subscriber, box: Mailbox, controls: Controls) -> None:
    """When Stripe announces the renewal, once, however often it is announced."""
    now = datetime.fromtimestamp(ada.customer.created, UTC)
    card: Any = {"number": "4242424242424242", "exp_month": now.month, "exp_year": now.year, "cvc": "123"}
    has_card(ada, ada.client.v1.payment_methods.create({"type": "card", "card": card}).id)
    ada.subscribes()

    controls.push(28 * DAY)
    ada.hears()
    ada.hears()

    assert box.subjects[1:] == ["[Test] Your card expires before your next payment"]
    assert f"Visa •••• 4242 expires {now:%m/%Y}" in box.part("plain")
    assert [row["type"] for row in ada.till.rows(ada.till.desk.store.tables.facts)].count("card.expiring") == 1


def test_a_card_that_lasts_is_no_matter(ada: Subscriber, box: Mailbox, controls: Controls) -> None:
    """Most do."""
    ada.subscribes()

    controls.push(28 * DAY)
    ada.hears()

    assert "invoice.upcoming" in [row["type"] for row in ada.till.rows(ada.till.desk.store.tables.events)]
    assert len(box.mails) == 1


def test_the_end_is_told(ada: Subscriber, box: Mailbox) -> None:
    """With the way back."""
    ada.subscribes()

    ada.subscription.cancel(at_once=True)
    ada.hears()

    assert box.subjects[1:] == ["[Test] Pro has ended"]
    assert "https://shop.example/pricing" in box.part("html")


def test_who_buys_once_gets_a_receipt_where_they_said(till: Till, client: stripe.StripeClient, box: Mailbox) -> None:
    """Also without signing in."""
    checkout = till.desk.checkout("ebook")
    pay(checkout.url, email="grace@example.com")
    till.deliver(client)
    till.desk.work()

    assert box.recipients == ["grace@example.com"]
    assert box.subjects == ["[Test] Your receipt: $19.00 for The little book of webhooks"]
    assert checkout.order.id in box.part("plain")


def test_a_mail_server_that_is_down_harms_nothing(ada: Subscriber, box: Mailbox) -> None:
    """The mirror goes on, the app's handlers go on; the mail follows when the server is back, under the same id."""
    heard: list[str] = []

    def hear(fact: InvoicePaid) -> None:
        heard.append(fact.key)

    ada.till.desk.on(InvoicePaid)(hear)
    box.answers["KEEP"] = "451 later"
    ada.subscribes()
    assert (ada.is_mirrored(), len(heard), box.mails) == (True, 1, [])

    ada.till.clock.advance(minutes=1)
    box.answers["KEEP"] = "451 later still"
    ada.till.desk.work()
    ada.till.clock.advance(hours=1)
    box.answers.clear()
    ada.till.desk.work()
    ada.till.desk.work()

    assert box.subjects == ["[Test] Your receipt: $29.00 for Pro"]
    assert len(heard) == 1


def test_what_was_paid_meanwhile_is_not_asked_for(ada: Subscriber, box: Mailbox, controls: Controls) -> None:
    """A mail that waited for its server is written anew, or not at all."""
    ada.subscribes()
    has_card(ada, "pm_card_chargeCustomerFail")
    box.answers["RCPT"] = "450 greylisted"
    controls.push(MONTH)
    ada.hears()
    has_card(ada, "pm_card_visa")
    ada.client.v1.invoices.pay(open_invoice(ada).id)
    ada.hears()

    box.answers.clear()
    ada.till.clock.advance(hours=1)
    ada.till.desk.work()

    assert box.subjects == ["[Test] Your receipt: $29.00 for Pro"] * 2


def test_a_crash_just_after_sending_repeats_the_same_message(ada: Subscriber, box: Mailbox) -> None:
    """Nobody can know better; but a mailbox that knows the Message-ID can."""
    ada.subscribes()
    effects = ada.till.desk.store.tables.effects
    with ada.till.desk.store.write() as connection:
        connection.execute(update(effects).values(state="waiting", next_at=ada.till.clock()))

    ada.till.desk.work()

    first, second = box.mails
    assert first["Message-ID"] == second["Message-ID"]


def test_two_processes_send_one_mail(
    ada: Subscriber, open_till: Callable[..., Till], box: Mailbox, client: stripe.StripeClient
) -> None:
    """Whichever comes first."""
    other = open_till()
    ada.subscribes()

    other.deliver(client)
    other.desk.work()
    ada.till.desk.work()

    assert len(box.mails) == 1


def test_only_the_kinds_that_are_wanted_are_sent(
    open_till: Callable[..., Till], client: stripe.StripeClient, box: Mailbox
) -> None:
    """Stripe sends receipts itself, if it is told to."""
    secrets = {"MAIL_URL": box.url, "MAIL_FROM": "billing@shop.example", "MAIL_KINDS": "ended"}
    till = open_till(secrets=secrets)
    till.desk.catalog.push(client)
    ada = Subscriber(till, client)

    ada.subscribes()
    ada.subscription.cancel(at_once=True)

    ada.till.desk.work()
    assert box.subjects == ["[Test] Pro has ended"]


def test_an_app_can_send_mails_itself(
    open_till: Callable[..., Till], client: stripe.StripeClient, box: Mailbox
) -> None:
    """By a function or a coroutine; it gets the whole mail, and a key to pass on."""
    sent: list[Mail] = []

    async def send(mail: Mail) -> None:
        sent.append(mail)

    till = open_till(send_mail=send)
    till.desk.catalog.push(client)
    Subscriber(till, client).subscribes()

    (mail,) = sent
    assert (mail.kind, mail.to, mail.subject) == ("receipt", "ada@example.com", "[Test] Your receipt: $29.00 for Pro")
    assert mail.key.startswith("pdk_")
    assert box.mails == []


def test_without_a_server_no_mail_is_sent(open_till: Callable[..., Till], client: stripe.StripeClient) -> None:
    """And no card is looked at."""
    till = open_till(secrets={})
    till.desk.catalog.push(client)

    Subscriber(till, client).subscribes()

    assert till.rows(till.desk.store.tables.effects) == []


def test_nobody_without_an_address_is_written_to(ada: Subscriber, box: Mailbox) -> None:
    """It is said in the log, and is no failure."""
    ada.client.v1.customers.update(ada.customer.id, {"email": ""})

    ada.subscribes()

    assert box.connections == 0
    assert {row["state"] for row in ada.till.rows(ada.till.desk.store.tables.effects)} == {"done"}
    assert ada.till.desk.subscription(ADA) is not None


def test_an_app_can_write_in_its_own_words(
    open_till: Callable[..., Till], client: stripe.StripeClient, box: Mailbox, tmp_path: Path
) -> None:
    """A file of the same name replaces ours or extends it; text is text, and HTML is escaped."""
    folder = tmp_path / "templates" / "mail"
    folder.mkdir(parents=True)
    (folder / "receipt.txt").write_text("Merci & bonne lecture, {{ shop.name }}\n\n{{ fact.invoice.number }}\n")
    (folder / "receipt.html").write_text(
        '{% extends "paydesk/mail/receipt.html" %}{% block title %}Merci, {{ shop.name }}{% endblock %}'
    )
    till = open_till(templates=folder.parent, name="Ada's <shop>")
    till.desk.catalog.push(client)

    Subscriber(till, client).subscribes()

    assert box.subjects == ["[Test] Merci & bonne lecture, Ada's <shop>"]
    (invoice,) = client.v1.invoices.list().data
    assert box.part("plain") == f"{invoice.number}\n"
    assert "Merci, Ada&#39;s &lt;shop&gt;" in box.part("html")
    assert "See the invoice" in box.part("html")
