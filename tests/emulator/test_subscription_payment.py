"""Paying for a subscription: with what, in which order that is looked for, and what a failure leaves behind."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest
import stripe

from tests.conftest import LocalStripe
from tests.emulator.controls import Controls
from tests.emulator.invoicing import customer, intent_of, refused
from tests.emulator.paying import answer_bank, events
from tests.emulator.subscribing import (
    DAY,
    HOUR,
    half_way,
    invoices,
    item,
    latest,
    period,
    price,
    subscribed,
    waiting,
)
from tests.emulator.test_subscription_renewal import replace_card
from tests.emulator.wire import Wire

MONTH = 31 * DAY


def now(client: stripe.StripeClient, made: stripe.Subscription) -> stripe.Subscription:
    """The subscription as it is."""
    return client.v1.subscriptions.retrieve(made.id)


@pytest.mark.parametrize(
    ("bank", "invoice_status"),
    [("pm_sepaDebit_successDelayed_de", "paid"), ("pm_sepaDebit_failedDelayed_de", "void")],
)
def test_a_slow_bank_is_trusted_with_the_first_invoice(
    client: stripe.StripeClient, controls: Controls, bank: str, invoice_status: str
) -> None:
    """Active at once; if the money does not come the invoice is void, the failure is told, and it stays active."""
    made = subscribed(client, customer(client, bank), price(client, currency="eur"))
    first = latest(client, made)
    intent = intent_of(client, first)

    controls.push(DAY)

    assert (made.status, first.status, intent.status) == ("active", "open", "processing")
    assert (now(client, made).status, latest(client, made).status) == ("active", invoice_status)
    assert ("invoice.payment_failed" in events(client)) is (invoice_status == "void")


def test_a_slow_bank_that_fails_later_leaves_it_past_due(client: stripe.StripeClient, controls: Controls) -> None:
    """A renewal is owed, whoever was asked for it."""
    made = subscribed(client, customer(client, "pm_sepaDebit_success_de"), price(client, currency="eur"))
    replace_card(client, str(made.customer), "pm_sepaDebit_failedDelayed_de")

    controls.push(period(made)[1] + HOUR + 1 - controls.get("/clock")["now"])
    asked = now(client, made).status
    controls.push(DAY)

    assert (asked, now(client, made).status, latest(client, made).status) == ("active", "past_due", "open")


def test_what_is_charged_is_looked_for_in_stripes_order(client: stripe.StripeClient, controls: Controls) -> None:
    """The invoice's own choice, the subscription's, the customer's default, their old default source."""
    ada = client.v1.customers.create({"source": "tok_visa"})
    made = subscribed(client, ada)
    charged = [_last4(client, made)]

    def attached(card: str) -> str:
        return client.v1.payment_methods.attach(card, {"customer": ada.id}).id

    steps: list[Any] = [
        lambda: client.v1.customers.update(
            ada.id, {"invoice_settings": {"default_payment_method": attached("pm_card_mastercard")}}
        ),
        lambda: client.v1.subscriptions.update(made.id, {"default_payment_method": attached("pm_card_amex")}),
    ]
    for step in steps:
        step()
        controls.push(MONTH + HOUR + 1)
        charged.append(_last4(client, made))
    controls.push(period(now(client, made))[1] - controls.get("/clock")["now"])
    client.v1.invoices.update(latest(client, made).id, {"default_payment_method": attached("pm_card_discover")})
    controls.push(HOUR + 1)
    charged.append(_last4(client, made))

    assert charged == ["4242", "4444", "0005", "1117"]


def test_a_source_can_be_the_subscriptions_own(client: stripe.StripeClient) -> None:
    """Somebody else's cannot."""
    ada, bob = client.v1.customers.create({"source": "tok_visa"}), client.v1.customers.create({"source": "tok_visa"})

    made = subscribed(client, ada, default_source=str(ada.default_source))

    assert (made.status, made.default_source) == ("active", ada.default_source)
    with refused("No such"):
        client.v1.subscriptions.update(made.id, {"default_source": str(bob.default_source)})
    with refused("payment method"):
        client.v1.subscriptions.update(made.id, {"default_payment_method": _default(client, customer(client))})


@pytest.mark.parametrize(
    ("card", "code"),
    [
        ("pm_card_chargeCustomerFail", "card_declined"),
        ("pm_card_authenticationRequired", "subscription_payment_intent_requires_action"),
    ],
)
def test_a_change_that_must_be_paid_at_once_leaves_nothing_behind(
    client: stripe.StripeClient, controls: Controls, card: str, code: str
) -> None:
    """A 402, and nothing was changed, invoiced or told; the same key is answered the same, whatever happened since."""
    made = half_way(client, controls, price(client, 1000))
    replace_card(client, str(made.customer), card)
    told, change = len(events(client)), {"items": [{"id": item(made).id, "quantity": 2}]}
    how: Any = {**change, "payment_behavior": "error_if_incomplete", "proration_behavior": "always_invoice"}

    answers = []
    for _ in range(2):
        with pytest.raises(stripe.CardError) as refusal:
            client.v1.subscriptions.update(made.id, how, {"idempotency_key": "twice"})
        answers.append(refusal.value)
        replace_card(client, str(made.customer), "pm_card_visa")

    first, again = answers
    assert (first.http_status, first.code) == (again.http_status, again.code) == (402, code)
    assert again.headers is not None
    assert again.headers["idempotent-replayed"] == "true"
    assert now(client, made).to_dict() == made.to_dict()
    assert (len(invoices(client, made)), waiting(client)) == (1, [])
    assert not [name for name in events(client)[told:] if name.startswith(("invoice", "customer.subscription"))]


def test_a_first_payment_that_fails_is_answered_the_same_again(client: stripe.StripeClient) -> None:
    """With the same key: a 402, though the card would work by now."""
    ada = customer(client, "pm_card_chargeCustomerFail")
    given: Any = {
        "customer": ada.id,
        "items": [{"price": price(client).id}],
        "payment_behavior": "error_if_incomplete",
    }
    for _ in range(2):
        with pytest.raises(stripe.CardError) as refusal:
            client.v1.subscriptions.create(given, {"idempotency_key": "first"})
        replace_card(client, ada.id, "pm_card_visa")

    assert refusal.value.code == "card_declined"
    assert client.v1.subscriptions.list({"customer": ada.id, "status": "all"}).data == []
    assert client.v1.subscriptions.create(given, {"idempotency_key": "second"}).status == "active"


def test_a_change_that_needs_the_payer_is_owed_until_they_confirm(
    client: stripe.StripeClient, controls: Controls
) -> None:
    """3-D Secure: the change is made and past due; the bank's answer makes it active."""
    made = half_way(client, controls, price(client, 1000))
    replace_card(client, str(made.customer), "pm_card_authenticationRequired")
    change: Any = {"items": [{"id": item(made).id, "quantity": 5}], "proration_behavior": "always_invoice"}

    owing = client.v1.subscriptions.update(made.id, change)
    bill = latest(client, made)
    intent = intent_of(client, bill)
    answer_bank(client.v1.payment_intents.confirm(intent.id, {"return_url": "http://127.0.0.1:9/"}), "complete")

    assert (owing.status, intent.status, intent.description) == ("past_due", "requires_action", "Subscription update")
    assert (bill.attempt_count, bill.next_payment_attempt) == (0, None)
    assert "invoice.payment_action_required" in events(client)
    assert (now(client, made).status, latest(client, made).status) == ("active", "paid")


def test_it_can_be_paid_by_the_browser(client: stripe.StripeClient) -> None:
    """`default_incomplete`, with all that a page needs opened in one answer."""
    given: Any = {
        "customer": customer(client, None).id,
        "items": [{"price": price(client).id}],
        "payment_behavior": "default_incomplete",
        "expand": [
            "latest_invoice.confirmation_secret",
            "latest_invoice.payments",
            "customer",
            "items.data.price.product",
            "pending_setup_intent",
        ],
    }

    made: Any = client.v1.subscriptions.create(given)

    intent = client.v1.payment_intents.retrieve(made.latest_invoice.payments.data[0].payment.payment_intent)
    assert made.latest_invoice.confirmation_secret.client_secret == intent.client_secret
    assert (made.status, intent.status) == ("incomplete", "requires_payment_method")
    product: Any = item(made).price.product
    assert (made.customer.email, product.name) == ("ada@example.com", "Pro")
    with pytest.raises(stripe.InvalidRequestError, match="expand"):
        client.v1.subscriptions.retrieve(made.id, {"expand": ["nonsense"]})


def test_past_due_goes_on_and_the_latest_invoice_decides(client: stripe.StripeClient, controls: Controls) -> None:
    """Every period is billed; an older invoice that is paid changes nothing, the newest one all."""
    controls.post("/settings/billing", retry_schedule="custom", retry_days=[30, 30], subscription_at_end="past_due")
    made = subscribed(client)
    replace_card(client, str(made.customer), "pm_card_chargeCustomerFail")
    controls.push(MONTH + HOUR + 1)
    older = latest(client, made).id
    controls.push(MONTH)

    still = now(client, made).status
    client.v1.invoices.pay(older, {"paid_out_of_band": True})
    paid_older = now(client, made).status
    client.v1.invoices.pay(latest(client, made).id, {"paid_out_of_band": True})

    assert (still, paid_older, now(client, made).status) == ("past_due", "past_due", "active")
    assert [status for _, status, _ in invoices(client, made)] == ["paid", "paid", "paid"]


def test_unpaid_ones_are_billed_in_drafts_until_the_latest_is_paid(
    client: stripe.StripeClient, controls: Controls
) -> None:
    """Nobody tries to collect them; what is paid by hand brings it back, and what follows is collected again."""
    controls.post("/settings/billing", retry_schedule="custom", retry_days=[1], subscription_at_end="unpaid")
    made = subscribed(client)
    replace_card(client, str(made.customer), "pm_card_chargeCustomerFail")
    controls.push(MONTH + 2 * DAY)
    controls.push(MONTH)
    given_up, draft = now(client, made).status, latest(client, made)
    replace_card(client, str(made.customer), "pm_card_visa")
    controls.push(5 * DAY)

    client.v1.invoices.pay(latest(client, made).id)

    assert (given_up, draft.status, draft.auto_advance, draft.automatically_finalizes_at) == (
        "unpaid",
        "draft",
        False,
        None,
    )
    assert now(client, made).status == "active"
    controls.push(MONTH)
    assert [status for _, status, _ in invoices(client, made)] == ["paid", "open", "paid", "paid"]


@pytest.mark.parametrize(
    ("behavior", "status"), [("keep_as_draft", "draft"), ("mark_uncollectible", "uncollectible"), ("void", "void")]
)
def test_a_pause_of_collection_is_for_changes_too(
    client: stripe.StripeClient, controls: Controls, behavior: Any, status: str
) -> None:
    """Whatever is invoiced meanwhile is not collected: and the change is made."""
    made = half_way(client, controls, price(client, 1000))
    client.v1.subscriptions.update(made.id, {"pause_collection": {"behavior": behavior}})
    change: Any = {"items": [{"id": item(made).id, "quantity": 5}], "proration_behavior": "always_invoice"}

    more = client.v1.subscriptions.update(made.id, change)

    assert (more.status, item(more).quantity, latest(client, made).status) == ("active", 5, status)
    assert (latest(client, made).amount_paid, len(client.v1.charges.list({}).data)) == (0, 1)
    back = client.v1.subscriptions.update(made.id, {"pause_collection": ""})
    assert back.pause_collection is None


def test_a_subscription_that_is_paid_by_invoice_goes_on_so(client: stripe.StripeClient, controls: Controls) -> None:
    """Each renewal is sent after its hour, due so many days later; a change is a draft too."""
    made = subscribed(client, customer(client, None), collection_method="send_invoice", days_until_due=10)
    controls.push(HOUR + 1)
    client.v1.invoices.pay(latest(client, made).id, {"paid_out_of_band": True})
    change: Any = {"items": [{"id": item(made).id, "quantity": 2}], "proration_behavior": "always_invoice"}
    client.v1.subscriptions.update(made.id, change)
    bill = latest(client, made)
    controls.push(MONTH + HOUR + 1)
    renewal = latest(client, made)
    status = now(client, made).status
    controls.push(10 * DAY)

    assert (bill.status, bill.billing_reason, bill.auto_advance) == ("draft", "subscription_update", True)
    assert (renewal.status, renewal.billing_reason, renewal.due_date) == (
        "open",
        "subscription_cycle",
        renewal.created + 10 * DAY,
    )
    assert (status, now(client, made).status) == ("past_due", "past_due")
    assert client.v1.payment_intents.list({}).data[0].status == "requires_payment_method"


def test_ways_of_paying_are_passed_on(client: stripe.StripeClient, controls: Controls) -> None:
    """To every invoice, and what is asked for it."""
    types: Any = {"payment_method_types": ["card", "sepa_debit"]}
    made = subscribed(client, None, price(client, currency="eur"), payment_settings=types)
    controls.push(MONTH + HOUR + 1)

    bill = latest(client, made)
    assert bill.payment_settings.payment_method_types == ["card", "sepa_debit"]
    assert intent_of(client, bill).payment_method_types == ["card", "sepa_debit"]


def test_what_has_no_effect_is_said(local_stripe: LocalStripe, key: str, client: stripe.StripeClient) -> None:
    """Named in the answer's header: nothing is ignored in silence."""
    ada, pro = customer(client), price(client)
    wire = Wire(local_stripe.url, key)
    options = "payment_settings[payment_method_options][card][request_three_d_secure]=any"

    made = wire.post("/v1/subscriptions", f"customer={ada.id}&items[0][price]={pro.id}&off_session=true&{options}")

    idle = made.headers["paydesk-no-effect"]
    assert made.status == 200
    assert "off_session" in idle
    assert "payment_method_options" in idle


@pytest.mark.parametrize(
    ("permission", "works"),
    [
        ("subscription_write", ["create", "read", "list"]),
        ("subscription_read", ["read", "list"]),
        ("customer_write", []),
    ],
)
def test_a_restricted_key_may_do_what_it_was_given(
    local_stripe: LocalStripe, key: str, client: stripe.StripeClient, permission: str, works: list[str]
) -> None:
    """Reading, or writing too; a 403 names what is missing."""
    made, restricted = subscribed(client), local_stripe.client(f"rk_test_{key.removeprefix('sk_test_')}__{permission}")
    given: Any = {"customer": str(made.customer), "items": [{"price": item(made).price.id}]}
    calls: dict[str, Any] = {
        "create": lambda: restricted.v1.subscriptions.create(given),
        "read": lambda: restricted.v1.subscriptions.retrieve(made.id),
        "list": lambda: restricted.v1.subscription_items.list({"subscription": made.id}),
    }

    for name, call in calls.items():
        with nullcontext() if name in works else pytest.raises(stripe.PermissionError, match="rak_subscription_"):
            call()


def test_the_news_of_a_renewal_come_in_stripes_order(client: stripe.StripeClient, controls: Controls) -> None:
    """The draft, then the subscription; an hour later the payment, then what it was for."""
    made = subscribed(client)
    start, end = period(made)
    controls.push(end - start)
    drafted = events(client, "invoice.upcoming")

    controls.push(HOUR + 1)

    assert drafted == ["invoice.created", "customer.subscription.updated"]
    assert events(client, "customer.subscription.updated") == [
        "payment_intent.created",
        "payment_intent.succeeded",
        "charge.succeeded",
        "invoice.finalized",
        "invoice.updated",
        "invoice.paid",
        "invoice.payment_succeeded",
        "invoice_payment.paid",
    ]


def test_what_an_update_tells_is_what_it_changed(client: stripe.StripeClient) -> None:
    """The old items as a whole, and of everything else the old values alone."""
    made = subscribed(client)
    change: Any = {"items": [{"id": item(made).id, "quantity": 2}], "metadata": {"team": "blue"}}

    client.v1.subscriptions.update(made.id, change)

    (told,) = client.v1.events.list({"type": "customer.subscription.updated"}).data
    was: Any = told.data.to_dict()["previous_attributes"]
    assert set(was) == {"items", "metadata", "quantity"}
    assert (was["metadata"], was["quantity"]) == ({"team": None}, 1)
    assert list(was["items"]) == ["data"]
    assert [one["quantity"] for one in was["items"]["data"]] == [1]


def test_searches_find_subscriptions(client: stripe.StripeClient) -> None:
    """By status, metadata, and when they began or ended."""
    kept = subscribed(client, metadata={"team": "blue"})
    gone = subscribed(client, metadata={"team": "red"})
    client.v1.subscriptions.cancel(gone.id)

    def found(query: str) -> list[str]:
        return [one.id for one in client.v1.subscriptions.search({"query": query}).data]

    assert found('status:"active"') == [kept.id]
    assert found('metadata["team"]:"red"') == [gone.id]
    assert found(f'created>={kept.created} AND status:"canceled"') == [gone.id]
    assert found("canceled_at>0") == [gone.id]


def test_lists_narrow_by_what_they_say(client: stripe.StripeClient) -> None:
    """How they are paid, what they sell, whose they are, and when they were made."""
    charged = subscribed(client)
    sent = subscribed(client, collection_method="send_invoice", days_until_due=3)

    def found(**given: Any) -> list[str]:
        told: Any = given
        return [one.id for one in client.v1.subscriptions.list(told).data]

    assert found(collection_method="send_invoice") == [sent.id]
    assert found(plan=item(charged).price.id) == [charged.id]
    assert found(customer=str(sent.customer)) == [sent.id]
    assert found(created={"gt": sent.created}) == []
    assert found(limit=1, starting_after=sent.id) == [charged.id]
    assert found(status="all", price=item(sent).price.id, collection_method="charge_automatically") == []
    with refused("current_period_end"):
        found(current_period_end={"gt": 1})


def _last4(client: stripe.StripeClient, made: stripe.Subscription) -> str:
    charge: Any = client.v1.charges.retrieve(str(intent_of(client, latest(client, made)).latest_charge))
    return str(charge.payment_method_details.card.last4)


def _default(client: stripe.StripeClient, owner: stripe.Customer) -> str:
    settings: Any = client.v1.customers.retrieve(owner.id).invoice_settings
    return str(settings.default_payment_method)
