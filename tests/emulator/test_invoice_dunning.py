"""Dunning an invoice: tried again as the billing settings say, until it is paid or given up."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.emulator.controls import Controls
from tests.emulator.invoicing import customer, drafted, opened
from tests.emulator.paying import events
from tests.emulator.subscribing import latest, subscribed

HOUR = 3600
DAY = 24 * HOUR


def default_card(owner: stripe.Customer) -> str:
    """The card a customer's invoices are charged to."""
    settings: Any = owner.invoice_settings
    found: str = settings.default_payment_method
    return found


def turn(controls: Controls, owner: stripe.Customer, alias: str) -> None:
    """From now on a customer's default card does what this test card does."""
    controls.post(f"/payment_methods/{default_card(owner)}/behave", **{"as": alias})


def test_a_schedule_of_ones_own_is_followed(client: stripe.StripeClient, controls: Controls) -> None:
    """Each retry so many days after the try before; after the last one the invoice is left open."""
    controls.post("/settings/billing", retry_schedule="custom", retry_days=[1, 3])
    draft = drafted(client, customer(client, "pm_card_chargeCustomerFail"), 1500, auto_advance=True)

    attempts = []
    for seconds in (HOUR + 10, DAY, 3 * DAY, 30 * DAY):
        controls.push(seconds)
        now = client.v1.invoices.retrieve(draft.id)
        attempts.append((now.attempt_count, now.next_payment_attempt))

    first = attempts[0][1]
    assert first is not None
    assert attempts == [(1, first), (2, first + 3 * DAY), (3, None), (3, None)]
    assert now.status == "open"


def test_an_invoice_can_be_written_off_in_the_end(client: stripe.StripeClient, controls: Controls) -> None:
    """Where the settings say so, the last failure marks it uncollectible, and says why."""
    controls.post("/settings/billing", retry_schedule="custom", retry_days=[], invoice_at_end="uncollectible")
    draft = drafted(client, customer(client, "pm_card_chargeCustomerFail"), 1500, auto_advance=True)

    controls.push(HOUR + 10)

    left = client.v1.invoices.retrieve(draft.id)
    assert (left.status, left.attempt_count) == ("uncollectible", 1)
    assert left.to_dict()["status_details"] == {"uncollectible": {"reason": "max_payment_attempts"}}
    assert events(client, "invoice.payment_failed") == [
        "invoice.updated",
        "customer.updated",
        "invoice.updated",
        "invoice.marked_uncollectible",
        "customer.updated",
    ]


def test_a_card_without_hope_is_not_tried_again(client: stripe.StripeClient, controls: Controls) -> None:
    """A lost card is not charged a second time, though the counter climbs; another card of the customer's is."""
    ada = customer(client)
    draft = drafted(client, ada, 1500, auto_advance=True)
    turn(controls, ada, "pm_card_chargeDeclinedLostCard")

    controls.push(HOUR + 10)
    once = client.v1.invoices.retrieve(draft.id)
    controls.push(4 * DAY)
    thrice = client.v1.invoices.retrieve(draft.id)
    charges = len(client.v1.charges.list({"customer": ada.id}).data)
    told = events(client, "customer.updated")
    better = client.v1.payment_methods.attach("pm_card_visa", {"customer": ada.id})
    client.v1.customers.update(ada.id, {"invoice_settings": {"default_payment_method": better.id}})
    controls.push(2 * DAY)

    paid = client.v1.invoices.retrieve(draft.id)
    assert (once.attempt_count, thrice.attempt_count) == (1, 3)
    assert (thrice.status, thrice.next_payment_attempt is not None) == ("open", True)
    assert charges == 1
    assert set(told) == {"invoice.updated"}
    assert (paid.status, paid.attempt_count) == ("paid", 4)


def test_a_saved_card_behaves_as_it_is_told(client: stripe.StripeClient, controls: Controls) -> None:
    """It can turn bad and good again, and looks the same all the while."""
    ada = customer(client, "pm_card_mastercard")
    invoice = opened(client, ada, 1500)

    turn(controls, ada, "pm_card_chargeDeclinedInsufficientFunds")
    with pytest.raises(stripe.CardError, match="insufficient funds"):
        client.v1.invoices.pay(invoice.id)
    turn(controls, ada, "pm_card_mastercard")
    paid = client.v1.invoices.pay(invoice.id)

    cards: Any = client.v1.customers.payment_methods.list(ada.id).data
    assert paid.status == "paid"
    assert [card.card.last4 for card in cards] == ["4444"]


@pytest.mark.parametrize("alias", ["pm_card_nonsense", "pm_usBankAccount_success"])
def test_a_card_behaves_as_a_test_card_or_not_at_all(
    client: stripe.StripeClient, controls: Controls, alias: str
) -> None:
    """Anything else is refused by name."""
    saved = default_card(customer(client))

    refusal = controls.ask("POST", f"/payment_methods/{saved}/behave", {"as": alias})

    assert (refusal.status_code, refusal.json()["error"]["param"]) == (400, "as")


def test_a_slow_banks_refusal_is_tried_again(client: stripe.StripeClient, controls: Controls) -> None:
    """It comes days after it was asked, counts as the one attempt it was, and the schedule goes on."""
    ada = customer(client, None)
    account = client.v1.payment_methods.attach("pm_usBankAccount_insufficientFunds", {"customer": ada.id})
    client.v1.customers.update(ada.id, {"invoice_settings": {"default_payment_method": account.id}})
    draft = drafted(client, ada, 1500, auto_advance=True)

    controls.push(HOUR + 60)
    once = client.v1.invoices.retrieve(draft.id)
    controls.push(2 * DAY)

    assert (once.status, once.attempt_count, once.next_payment_attempt is not None) == ("open", 1, True)
    assert client.v1.invoices.retrieve(draft.id).attempt_count == 2


def test_what_becomes_of_a_subscription_does_not_hang_on_its_invoice(
    client: stripe.StripeClient, controls: Controls
) -> None:
    """Written off by hand, an invoice is the end of the matter; written off by the schedule, the settings decide."""
    controls.post(
        "/settings/billing",
        retry_schedule="custom",
        retry_days=[],
        subscription_at_end="past_due",
        invoice_at_end="uncollectible",
    )
    made = subscribed(client)
    turn(controls, client.v1.customers.retrieve(str(made.customer)), "pm_card_chargeCustomerFail")

    controls.push(31 * DAY + 2 * HOUR)

    assert latest(client, made).status == "uncollectible"
    assert client.v1.subscriptions.retrieve(made.id).status == "past_due"


@pytest.mark.parametrize(("days", "status"), [(0, "past_due"), (10, "canceled")])
def test_a_sent_invoice_can_end_its_subscription(
    client: stripe.StripeClient, controls: Controls, days: int, status: str
) -> None:
    """So many days after it was due, if that was chosen; whatever happens to the invoice meanwhile."""
    controls.post("/settings/billing", overdue_days=days, invoice_at_end="uncollectible")
    made = subscribed(client, customer(client), collection_method="send_invoice", days_until_due=5)
    controls.push(6 * DAY)
    invoice = latest(client, made)
    client.v1.credit_notes.create({"invoice": invoice.id, "amount": 500})
    controls.push(8 * DAY)
    waiting = client.v1.subscriptions.retrieve(made.id).status

    controls.push(2 * DAY)

    left = client.v1.invoices.retrieve(invoice.id).to_dict()
    assert waiting == "past_due"
    assert client.v1.subscriptions.retrieve(made.id).status == status
    given_up = {"uncollectible": {"reason": "payment_not_received"}}
    assert (left["status"], left.get("status_details")) == (("uncollectible", given_up) if days else ("open", None))


def test_a_due_date_is_told_of_before(client: stripe.StripeClient, controls: Controls) -> None:
    """So many days ahead, once, if that was chosen; not of what is paid by then."""
    controls.post("/settings/billing", will_be_due_days=3)
    ada = customer(client)
    sent: Any = {"collection_method": "send_invoice", "days_until_due": 7}
    late, early = opened(client, ada, 1500, **sent), opened(client, ada, 900, **sent)
    client.v1.invoices.pay(early.id)

    controls.push(4 * DAY - 60)
    before = client.v1.events.list({"type": "invoice.will_be_due"}).data
    controls.push(10 * DAY)

    (told,) = client.v1.events.list({"type": "invoice.will_be_due"}).data
    assert before == []
    assert told.data.object["id"] == late.id
    assert late.due_date is not None
    assert told.created == late.due_date - 3 * DAY
