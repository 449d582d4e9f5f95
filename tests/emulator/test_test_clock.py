"""Test clocks: a time of their own, which stands still until it is advanced."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
import stripe

from tests.conftest import LocalStripe
from tests.emulator.clocks import DAY, HOUR, START, advance, arrived, clock_at
from tests.emulator.controls import Controls
from tests.emulator.invoicing import customer, drafted, intent_of, opened, refused
from tests.emulator.receiver import Answer, Receiver
from tests.emulator.selling import payment

YEAR = 365 * DAY


def test_a_clock_stands_where_it_was_set(client: stripe.StripeClient) -> None:
    """It is there for thirty days, of our time and not its own."""
    clock = clock_at(client, name="Renewals")

    assert (clock.id[:6], clock.frozen_time, clock.status) == ("clock_", START, "ready")
    assert (clock.name, clock.livemode) == ("Renewals", False)
    assert clock.deletes_after - clock.created == 30 * DAY
    assert abs(clock.created - time.time()) < 60
    assert client.v1.test_helpers.test_clocks.retrieve(clock.id) == clock
    assert [one.id for one in client.v1.test_helpers.test_clocks.list().data] == [clock.id]
    assert told(client) == ["test_helpers.test_clock.created"]


def test_what_a_customer_on_a_clock_is_billed_is_of_the_clocks_time(client: stripe.StripeClient) -> None:
    """The customer, their invoices and what waits for one; payments and events go by the wall."""
    clock = clock_at(client)
    ada = customer(client, test_clock=clock.id)

    item = client.v1.invoice_items.create({"customer": ada.id, "amount": 500, "currency": "usd"})
    invoice = client.v1.invoices.pay(opened(client, ada, 1500).id)
    event = client.v1.events.list({"type": "invoice.paid"}).data[0]

    intent = intent_of(client, invoice)
    assert {one["test_clock"] for one in (ada, item, invoice)} == {clock.id}
    assert {ada.created, item.date, invoice.created, invoice.status_transitions.paid_at} == {START}
    assert abs(intent.created - time.time()) < 60
    assert abs(event.created - time.time()) < 60
    shown = client.v1.customers.retrieve(ada.id, {"expand": ["test_clock"]})
    assert shown.test_clock == clock


def test_a_customer_who_was_there_can_be_attached(client: stripe.StripeClient) -> None:
    """Once and for all, as long as nothing of theirs is under way in the sandbox's own time."""
    ada, busy = customer(client), customer(client)
    drafted(client, busy)

    clock = clock_at(client, customer=ada.id)

    assert client.v1.customers.retrieve(ada.id).test_clock == clock.id
    assert drafted(client, ada).created == START
    for owner in (ada, busy):
        with refused() as refusal:
            clock_at(client, customer=owner.id)
        assert refusal.value.param == "customer"


def test_customers_on_clocks_are_listed_for_those_who_ask(client: stripe.StripeClient) -> None:
    """Nobody else's list of customers is full of them."""
    one, other = clock_at(client), clock_at(client)
    ada, bob, eve = (customer(client, test_clock=clock) for clock in (one.id, other.id, None))

    def listed(**filters: Any) -> list[str]:
        return [found.id for found in client.v1.customers.list(filters).data]  # type: ignore[arg-type]

    assert listed() == listed(email="ada@example.com") == [eve.id]
    assert listed(test_clock=one.id) == [ada.id]
    assert listed(test_clock=other.id) == [bob.id]


def test_a_draft_is_finalised_an_hour_later_in_the_clocks_time(client: stripe.StripeClient) -> None:
    """And charged; not a minute earlier, and whatever the wall shows."""
    clock = clock_at(client)
    draft = drafted(client, customer(client, test_clock=clock.id), 1500, auto_advance=True)

    early = advance(client, clock, START + HOUR)
    waiting = client.v1.invoices.retrieve(draft.id)
    late = advance(client, clock, START + 2 * HOUR)
    paid = client.v1.invoices.retrieve(draft.id)

    assert (early.status, early.frozen_time, waiting.status) == ("ready", START + HOUR, "draft")
    assert (late.status, late.frozen_time, paid.status) == ("ready", START + 2 * HOUR, "paid")
    assert paid.status_transitions.finalized_at == paid.status_transitions.paid_at == START + HOUR + 1


def test_an_advance_is_answered_at_once_and_told_of_in_order(client: stripe.StripeClient) -> None:
    """`advancing` with its target, what happens on the way, and `ready`."""
    clock = clock_at(client)
    drafted(client, customer(client, test_clock=clock.id), 1500, auto_advance=True)
    before = len(told(client))

    answer = client.v1.test_helpers.test_clocks.advance(clock.id, {"frozen_time": START + 2 * HOUR})
    end = arrived(client, clock)

    assert answer.status == "advancing"
    assert answer.status_details.to_dict() == {"advancing": {"target_frozen_time": START + 2 * HOUR}}
    assert (end.status, end.status_details.to_dict()) == ("ready", {})
    since = told(client)[before:]
    assert (since[0], since[-1]) == ("test_helpers.test_clock.advancing", "test_helpers.test_clock.ready")
    assert since.index("invoice.finalized") < since.index("invoice.paid")


def test_everything_that_is_due_happens_in_the_order_of_its_time(client: stripe.StripeClient) -> None:
    """Three customers, each with an invoice of another day: what falls due first happens first, to the second."""
    clock = clock_at(client)
    owners = [customer(client, card, test_clock=clock.id) for card in ("pm_card_visa", None, "pm_card_visa")]
    finalised = {
        drafted(client, owner, 1500, auto_advance=True, automatically_finalizes_at=START + days * DAY).id: days
        for owner, days in zip(owners, (3, 1, 2), strict=True)
    }
    sent = {
        opened(client, owners[0], 100, collection_method="send_invoice", days_until_due=days).id: days
        for days in (5, 4)
    }
    before = client.v1.events.list({"limit": 1}).data[0].id

    advance(client, clock, START + 6 * DAY)

    happened = client.v1.events.list({"limit": 100, "ending_before": before}).data[::-1]
    whose = {"invoice.finalized": finalised, "invoice.overdue": sent}
    assert [whose[event.type][event.data.object["id"]] for event in happened if event.type in whose] == [1, 2, 3, 4, 5]
    for invoice, days in finalised.items():
        assert client.v1.invoices.retrieve(invoice).status_transitions.finalized_at == START + days * DAY


def test_a_clock_that_stands_still_does_what_is_due_at_once(client: stripe.StripeClient) -> None:
    """An invoice that may be charged from now on is: nobody has to advance the clock for it."""
    clock = clock_at(client)
    draft = drafted(client, customer(client, test_clock=clock.id), 1500, auto_advance=True)
    advance(client, clock, START + HOUR)

    client.v1.invoices.finalize_invoice(draft.id)
    while (invoice := client.v1.invoices.retrieve(draft.id)).status == "open":
        pass

    assert (invoice.status, invoice.status_transitions.paid_at) == ("paid", START + HOUR)


def test_a_slow_bank_goes_by_the_wall(client: stripe.StripeClient, controls: Controls) -> None:
    """Its answer comes when it comes; the invoice is paid then, at the time at which its clock stands."""
    clock = clock_at(client)
    invoice = opened(client, customer(client, "pm_usBankAccount_success", test_clock=clock.id), 1500)
    client.v1.invoices.pay(invoice.id)
    assert intent_of(client, invoice).status == "processing"

    controls.push(HOUR)

    paid = client.v1.invoices.retrieve(invoice.id)
    assert (paid.status, paid.status_transitions.paid_at) == ("paid", START)


def test_a_checkout_goes_by_the_wall(client: stripe.StripeClient) -> None:
    """It is open for a day of ours, for a customer on a clock too."""
    ada = customer(client, test_clock=clock_at(client).id)

    session = client.v1.checkout.sessions.create(payment(customer=ada.id))

    assert abs(session.created - time.time()) < 60
    assert session.expires_at - session.created == DAY


def test_a_pushed_sandbox_moves_no_test_clock(client: stripe.StripeClient, controls: Controls) -> None:
    """What is frozen is frozen."""
    clock = clock_at(client)
    draft = drafted(client, customer(client, test_clock=clock.id), 1500, auto_advance=True)

    controls.push(10 * DAY)

    assert client.v1.test_helpers.test_clocks.retrieve(clock.id).frozen_time == START
    assert client.v1.invoices.retrieve(draft.id).status == "draft"


@pytest.mark.parametrize("seconds", [0, -DAY, 2 * YEAR + DAY, 10**12])
def test_a_clock_goes_forward_and_not_too_far(client: stripe.StripeClient, seconds: int) -> None:
    """Two years at once, where nobody has a subscription."""
    clock = clock_at(client)

    with refused() as refusal:
        client.v1.test_helpers.test_clocks.advance(clock.id, {"frozen_time": START + seconds})

    assert refusal.value.param == "frozen_time"
    assert client.v1.test_helpers.test_clocks.retrieve(clock.id) == clock
    assert advance(client, clock, START + 2 * YEAR).status == "ready"


def test_a_clock_has_room_for_three_customers(client: stripe.StripeClient) -> None:
    """Deleting one makes room again."""
    clock = clock_at(client)
    first, *_ = [customer(client, test_clock=clock.id) for _ in range(3)]

    with refused() as full:
        customer(client, test_clock=clock.id)
    client.v1.customers.delete(first.id)

    assert full.value.param == "test_clock"
    assert customer(client, test_clock=clock.id).test_clock == clock.id


def test_there_must_be_such_a_clock(client: stripe.StripeClient) -> None:
    """A clock that is not there moves nobody."""
    with refused() as missing:
        customer(client, test_clock="clock_nobody")
    assert (missing.value.code, missing.value.param) == ("resource_missing", "test_clock")

    with refused() as elsewhere:
        client.v1.test_helpers.test_clocks.advance("clock_nobody", {"frozen_time": START})
    assert elsewhere.value.http_status == 404


def test_live_mode_has_no_test_clocks(local_stripe: LocalStripe) -> None:
    """Nor does its rehearsal here."""
    with refused():
        clock_at(local_stripe.client("sk_live_local_clocks"))


def test_nobody_writes_to_what_lives_on_a_clock_on_its_way(
    client: stripe.StripeClient, local_stripe: LocalStripe, receiver: Receiver
) -> None:
    """429, in Stripe's words; reading is free, and so is everybody else. A receiver that takes its time holds it up
    for a moment, and not for ever.
    """
    clock = clock_at(client)
    ada = customer(client, test_clock=clock.id)
    drafted(client, ada, 1500, auto_advance=True)
    is_over = threading.Event()
    receiver.answer = lambda _: Answer(when=is_over)
    client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["invoice.finalized"]})

    client.v1.test_helpers.test_clocks.advance(clock.id, {"frozen_time": START + DAY})
    receiver.wait_for(1)

    writes = (
        lambda: client.v1.customers.update(ada.id, {"name": "Ada"}),
        lambda: client.v1.invoice_items.create({"customer": ada.id, "amount": 500, "currency": "usd"}),
        lambda: client.v1.test_helpers.test_clocks.advance(clock.id, {"frozen_time": START + 2 * DAY}),
        lambda: client.v1.test_helpers.test_clocks.delete(clock.id),
    )
    for write in writes:
        with pytest.raises(stripe.RateLimitError) as refusal:
            write()
        assert refusal.value.user_message == (
            f"Test clock advancement underway - cannot perform modifications: {clock.id}"
        )
    assert client.v1.test_helpers.test_clocks.retrieve(clock.id).status == "advancing"
    assert client.v1.customers.retrieve(ada.id).name == "Ada Lovelace"
    assert local_stripe.client("sk_test_beside_a_clock").v1.customers.create().test_clock is None
    assert client.v1.customers.create().test_clock is None
    assert arrived(client, clock).status == "ready"
    is_over.set()


def test_a_clock_that_has_arrived_has_delivered_what_it_tells_of(
    client: stripe.StripeClient, receiver: Receiver
) -> None:
    """So that whoever waits for it can look at what an app has made of it."""
    clock = clock_at(client)
    drafted(client, customer(client, test_clock=clock.id), 1500, auto_advance=True)
    client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["invoice.finalized", "invoice.paid"]})

    advance(client, clock, START + DAY)

    assert sorted(receiver.types) == ["invoice.finalized", "invoice.paid"]


def test_a_deleted_clock_takes_its_customers_along(client: stripe.StripeClient) -> None:
    """Only of the clock is told, and nothing more happens on it."""
    clock = clock_at(client)
    ada, eve = customer(client, test_clock=clock.id), customer(client)
    draft = drafted(client, ada, 1500, auto_advance=True)
    before = len(told(client))

    stub = client.v1.test_helpers.test_clocks.delete(clock.id)

    assert stub.deleted
    assert told(client)[before:] == ["test_helpers.test_clock.deleted"]
    assert client.v1.customers.retrieve(ada.id).deleted
    assert client.v1.customers.retrieve(eve.id).id == eve.id
    assert client.v1.invoices.retrieve(draft.id).status == "draft"
    assert client.v1.test_helpers.test_clocks.list().data == []
    with refused() as gone:
        client.v1.test_helpers.test_clocks.retrieve(clock.id)
    assert gone.value.http_status == 404


def test_a_clock_is_deleted_after_thirty_days(client: stripe.StripeClient, controls: Controls) -> None:
    """As it says of itself."""
    clock = clock_at(client)
    ada = customer(client, test_clock=clock.id)

    controls.push(30 * DAY - HOUR)
    assert client.v1.test_helpers.test_clocks.retrieve(clock.id) == clock
    controls.push(HOUR)

    assert client.v1.test_helpers.test_clocks.list().data == []
    assert client.v1.customers.retrieve(ada.id).deleted


def told(client: stripe.StripeClient) -> list[str]:
    """The types of everything that happened, oldest first."""
    types: list[str] = [event.type for event in client.v1.events.list({"limit": 100}).auto_paging_iter()]
    return types[::-1]
