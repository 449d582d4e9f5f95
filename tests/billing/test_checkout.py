"""Selling something: what Stripe is asked for, and what the ledger knows, whatever breaks in between."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import parse_qs

import pytest

from paydesk.billing.customers import User
from paydesk.errors import (
    PriceMismatch,
    QuantityRefused,
    StripeRefused,
    StripeUnavailable,
    UnknownPrice,
    UnknownProduct,
)
from tests.billing.paying import pay
from tests.billing.till import Till, customers_at_stripe, sessions_at_stripe

if TYPE_CHECKING:
    from collections.abc import Callable

    import stripe

    from tests.billing.conftest import Clock

ADA = User("ada", "ada@example.com")
SESSION = "POST /v1/checkout/sessions"
CUSTOMER = "POST /v1/customers"

T = TypeVar("T")


def test_a_checkout_is_a_pending_order_and_a_page(till: Till, client: stripe.StripeClient) -> None:
    """The customer can be sent to pay, and the ledger knows what for."""
    checkout = till.desk.checkout("mug", user=ADA, quantity=2)

    (session,) = sessions_at_stripe(client)
    (order,) = till.orders
    assert checkout.url == session.url
    assert checkout.order.id == order["id"]
    assert (order["status"], order["session_id"], order["user_id"]) == ("pending", session.id, "ada")
    assert (order["amount_minor"], order["currency"], order["quantity"]) == (2500, "eur", 2)
    assert (session.amount_total, session.currency) == (2500, "eur")
    assert session.client_reference_id == order["id"]
    assert session.metadata is not None
    assert session.metadata.to_dict() == {"paydesk_order": order["id"]}
    assert session.customer == till.customers[0]["stripe_id"]
    assert order["expires_at"].timestamp() == session.expires_at


def test_the_addresses_come_from_base_url_alone(till: Till, client: stripe.StripeClient) -> None:
    """Nobody can be sent anywhere else after paying; the placeholder arrives as Stripe wants it."""
    till.desk.checkout("ebook")

    (session,) = sessions_at_stripe(client)
    assert session.success_url == "https://shop.example/thanks?session_id={CHECKOUT_SESSION_ID}"
    assert session.cancel_url == "https://shop.example/pricing"


def test_the_payment_carries_the_order_too(till: Till) -> None:
    """A session's metadata stays on the session, so the payment gets its own."""
    checkout = till.desk.checkout("ebook")

    (call,) = till.wire.sent(SESSION)
    assert parse_qs(call.body)["payment_intent_data[metadata][paydesk_order]"] == [checkout.order.id]


def test_p7_a_guest_stays_without_a_customer(till: Till, client: stripe.StripeClient) -> None:
    """Who buys without signing in is nobody's customer, and no customer of anybody's is touched."""
    till.desk.checkout("ebook", user=ADA)
    before = till.customers

    checkout = till.desk.checkout("ebook", email="guest@example.com")

    guest = next(session for session in sessions_at_stripe(client) if session.client_reference_id == checkout.order.id)
    assert guest.customer is None
    assert guest.customer_email == "guest@example.com"
    assert checkout.order.user_id is None
    assert till.customers == before


def test_a_second_purchase_has_the_same_customer_and_another_order(
    till: Till, client: stripe.StripeClient, clock: Clock
) -> None:
    """A user is one customer for good."""
    first = till.desk.checkout("ebook", user=ADA)
    clock.advance(minutes=1)
    second = till.desk.checkout("ebook", user=ADA)

    assert first.order.id != second.order.id
    assert len(customers_at_stripe(client)) == 1
    assert len(till.wire.sent(CUSTOMER)) == 1


def test_a_double_click_gets_the_page_that_is_there(till: Till, client: stripe.StripeClient) -> None:
    """One wish, one order, however often the button is hit."""
    first = till.desk.checkout("ebook", user=ADA)
    second = till.desk.checkout("ebook", user=ADA)

    assert second == first
    assert len(sessions_at_stripe(client)) == 1


def test_another_wish_is_not_a_double_click(till: Till, client: stripe.StripeClient) -> None:
    """Another quantity, thing or person is another order; so is the next guest."""
    till.desk.checkout("mug", user=ADA, quantity=1)
    till.desk.checkout("mug", user=ADA, quantity=2)
    till.desk.checkout("ebook", user=ADA)
    till.desk.checkout("ebook", user=User("bob"))
    till.desk.checkout("ebook")
    till.desk.checkout("ebook")

    assert len(till.orders) == len(sessions_at_stripe(client)) == 6


def test_two_clicks_at_the_same_moment_are_one_order(
    till: Till, second_till: Till, client: stripe.StripeClient
) -> None:
    """Two tabs, two processes: neither the order nor the page is doubled."""
    found = at_once(
        lambda: till.desk.checkout("ebook", user=ADA).url, lambda: second_till.desk.checkout("ebook", user=ADA).url
    )

    assert len(set(found)) == 1
    assert len(till.orders) == 1
    assert len(sessions_at_stripe(client)) == 1


def test_b7_two_first_purchases_at_once_make_one_customer(
    till: Till, second_till: Till, client: stripe.StripeClient
) -> None:
    """A user is one customer under any race, because both find the same promise with the same key."""
    found = at_once(
        lambda: till.desk.checkout("ebook", user=ADA).order.customer_id,
        lambda: second_till.desk.checkout("mug", user=ADA).order.customer_id,
    )

    (customer,) = customers_at_stripe(client)
    assert found == [customer.id, customer.id]
    assert [row["stripe_id"] for row in till.customers] == [customer.id]
    assert len({call.key for call in till.wire.sent(CUSTOMER)}) == 1


def test_t1_one_user_is_one_customer_however_many_processes_ask(
    till: Till, second_till: Till, client: stripe.StripeClient
) -> None:
    """Eight requests in two processes, one customer."""
    at_once(*(partial(desk.checkout, "ebook", user=ADA) for desk in [till.desk, second_till.desk] * 4))

    assert len(customers_at_stripe(client)) == 1
    assert len(till.customers) == 1
    assert len(till.orders) == 1


@pytest.mark.parametrize("place", ["before", "after"])
def test_t1_a_crash_while_the_customer_is_made_leaves_one(
    till: Till, client: stripe.StripeClient, clock: Clock, place: str
) -> None:
    """Whether Stripe had made the customer or not when we died: afterwards there is one, and it is linked."""
    getattr(till.wire, f"cut_{place}")(CUSTOMER)
    with pytest.raises(StripeUnavailable):
        till.desk.checkout("ebook", user=ADA)
    assert [row["stripe_id"] for row in till.customers] == [None]
    till.wire.mend()

    clock.advance(minutes=2)
    till.desk.work()

    (customer,) = customers_at_stripe(client)
    assert [row["stripe_id"] for row in till.customers] == [customer.id]
    assert till.desk.checkout("ebook", user=ADA).order.customer_id == customer.id


@pytest.mark.parametrize("place", ["before", "after"])
def test_a_crash_while_the_page_is_made_is_finished_by_the_worker(
    till: Till, client: stripe.StripeClient, clock: Clock, place: str
) -> None:
    """The order that was promised gets its page, and only one, with the very parameters of the first try."""
    getattr(till.wire, f"cut_{place}")(SESSION)
    with pytest.raises(StripeUnavailable):
        till.desk.checkout("ebook", user=ADA)
    (order,) = till.orders
    assert (order["status"], order["session_id"]) == ("pending", None)
    assert [attempt["state"] for attempt in till.attempts if attempt["verb"] == "checkout"] == ["open"]
    till.wire.mend()

    clock.advance(minutes=2)
    till.desk.work()

    (session,) = sessions_at_stripe(client)
    (order,) = till.orders
    assert (order["session_id"], order["session_url"]) == (session.id, session.url)
    assert {attempt["state"] for attempt in till.attempts} == {"done"}
    sent = till.wire.sent(SESSION)
    assert len({(call.key, call.body) for call in sent}) == 1
    assert sent[0].key is not None
    assert sent[0].key.startswith("pdk_checkout_")


def test_a_second_click_after_a_crash_joins_the_first(till: Till, client: stripe.StripeClient) -> None:
    """Whoever tries again at once need not wait for the worker, and gets no second order."""
    till.wire.cut_after(SESSION)
    with pytest.raises(StripeUnavailable):
        till.desk.checkout("ebook", user=ADA)
    till.wire.mend()

    checkout = till.desk.checkout("ebook", user=ADA)

    (session,) = sessions_at_stripe(client)
    assert checkout.url == session.url
    assert len(till.orders) == 1


def test_an_order_without_its_promise_is_left_alone(till: Till, client: stripe.StripeClient, clock: Clock) -> None:
    """Order and promise are one commit, so this cannot happen; if somebody makes it happen, nothing breaks."""
    till.desk.checkout("ebook", user=ADA)
    with till.desk.store.write() as connection:
        connection.execute(till.desk.store.tables.attempts.delete())
        connection.execute(till.desk.store.tables.orders.update().values(session_id=None, session_url=None))

    clock.advance(minutes=2)
    till.desk.work()
    checkout = till.desk.checkout("ebook", user=ADA)

    assert checkout.order.id not in {row["id"] for row in till.orders if row["session_id"] is None}
    assert len(sessions_at_stripe(client)) == 2


def test_an_answer_that_is_repeated_late_brings_no_old_page_back(
    till: Till, client: stripe.StripeClient, clock: Clock
) -> None:
    """Whoever was slow to write down Stripe's answer finds the order paid, and leaves it as it is."""
    pay(till.desk.checkout("ebook", user=ADA).url)
    till.deliver(client)
    till.desk.work()
    with till.desk.store.write() as connection:
        connection.execute(till.desk.store.tables.attempts.update().values(state="open"))

    clock.advance(minutes=2)
    till.desk.work()

    assert [(row["status"], row["session_url"]) for row in till.orders] == [("paid", None)]


def test_a_promise_too_old_to_repeat_is_given_up(till: Till, client: stripe.StripeClient, clock: Clock) -> None:
    """After a day Stripe may have forgotten the key and would do it a second time."""
    till.wire.cut_before(SESSION)
    with pytest.raises(StripeUnavailable):
        till.desk.checkout("ebook", user=ADA)
    till.wire.mend()

    clock.advance(hours=24)
    till.desk.work()

    assert [row["status"] for row in till.orders] == ["failed"]
    assert [attempt["state"] for attempt in till.attempts if attempt["verb"] == "checkout"] == ["failed"]
    assert sessions_at_stripe(client) == []


def test_a_promise_that_cannot_be_kept_holds_up_no_other(till: Till, client: stripe.StripeClient, clock: Clock) -> None:
    """An answer we stumble over is one order's trouble; whoever bought after it still gets a page."""
    for _ in range(2):
        till.wire.cut_before(SESSION)
        with pytest.raises(StripeUnavailable):
            till.desk.checkout("ebook")
        till.wire.mend()
    till.wire.answer(SESSION, 200, b'{"object": "checkout.session", "id": "cs_test_without_the_rest"}')

    clock.advance(minutes=2)
    till.desk.work()

    assert sorted(attempt["state"] for attempt in till.attempts) == ["done", "open"]
    assert len(sessions_at_stripe(client)) == 1


def test_a_refused_page_fails_the_order_and_the_next_try_is_new(till: Till, client: stripe.StripeClient) -> None:
    """Stripe repeats a refusal for a day under the same key, so the next click has a key of its own."""
    body = b'{"error": {"type": "invalid_request_error", "message": "Not a valid URL", "code": "url_invalid"}}'
    till.wire.answer(SESSION, 400, body)
    with pytest.raises(StripeRefused, match="Not a valid URL"):
        till.desk.checkout("ebook", user=ADA)

    checkout = till.desk.checkout("ebook", user=ADA)

    assert sorted(row["status"] for row in till.orders) == ["failed", "pending"]
    assert checkout.order.status == "pending"
    assert len({call.key for call in till.wire.sent(SESSION)}) == 2
    assert len(sessions_at_stripe(client)) == 1


def test_a_customer_deleted_at_stripe_is_made_anew(till: Till, client: stripe.StripeClient, clock: Clock) -> None:
    """Somebody tidied up in the dashboard; the user can still buy."""
    first = till.desk.checkout("ebook", user=ADA)
    client.v1.customers.delete(str(first.order.customer_id))
    clock.advance(minutes=1)

    second = till.desk.checkout("ebook", user=ADA)

    assert second.order.customer_id not in {None, first.order.customer_id}
    linked = {row["user_id"]: row["stripe_id"] for row in till.customers if row["user_id"] is not None}
    assert linked == {"ada": second.order.customer_id}


def test_two_who_find_a_customer_gone_make_one_new_one(
    till: Till, second_till: Till, client: stripe.StripeClient, clock: Clock
) -> None:
    """Whoever is told last does not forget the customer that the other one has made since."""
    gone = till.desk.checkout("ebook", user=ADA).order.customer_id
    client.v1.customers.delete(str(gone))
    clock.advance(minutes=1)

    with till.wire.meanwhile(SESSION, lambda: second_till.desk.checkout("mug", user=ADA)):
        till.desk.checkout("ebook", user=ADA)

    (customer,) = customers_at_stripe(client)
    assert {row["user_id"]: row["stripe_id"] for row in till.customers} == {None: gone, "ada": customer.id}


def test_the_news_of_a_customers_end_does_not_take_the_next_ones_place(
    till: Till, second_till: Till, client: stripe.StripeClient, clock: Clock
) -> None:
    """The webhook of the deletion arrives while another customer is being made: the user keeps the living one."""
    gone = till.desk.checkout("ebook", user=ADA).order.customer_id
    client.v1.customers.delete(str(gone))
    clock.advance(minutes=1)

    def hear() -> None:
        second_till.deliver(client, "customer.deleted")
        second_till.desk.work()

    with till.wire.meanwhile("POST /v1/customers", hear):
        till.desk.checkout("ebook", user=ADA)

    (customer,) = customers_at_stripe(client)
    assert {row["user_id"]: row["stripe_id"] for row in till.customers} == {None: gone, "ada": customer.id}


def test_a_customer_of_the_other_mode_is_not_used(till: Till, client: stripe.StripeClient) -> None:
    """The database went live with its test customers in it: Stripe's live mode knows none of them."""
    with till.desk.store.write() as connection:
        row = {"user_id": "ada", "stripe_id": "cus_live", "livemode": True}
        now = till.clock()
        customers = till.desk.store.tables.customers
        connection.execute(customers.insert().values(**row, created_at=now, updated_at=now))

    checkout = till.desk.checkout("ebook", user=ADA)

    (customer,) = customers_at_stripe(client)
    assert checkout.order.customer_id == customer.id
    assert {row["stripe_id"]: row["user_id"] for row in till.customers} == {"cus_live": None, customer.id: "ada"}


def test_a_sandbox_that_was_emptied_is_filled_again(till: Till) -> None:
    """The price that was remembered is gone: it is looked up once more before anybody is told no."""
    till.desk.checkout("ebook")
    gone = b'{"error": {"type": "invalid_request_error", "message": "No such price", "code": "resource_missing"}}'
    till.wire.answer(SESSION, 400, gone)

    assert till.desk.checkout("ebook").url
    assert len(till.wire.sent("GET /v1/prices")) == 2


def test_two_workers_finish_a_promise_once(
    till: Till, second_till: Till, client: stripe.StripeClient, clock: Clock
) -> None:
    """Both find it half-way and both finish it: the same key makes it one page."""
    till.wire.cut_before(SESSION)
    with pytest.raises(StripeUnavailable):
        till.desk.checkout("ebook", user=ADA)
    till.wire.mend()
    clock.advance(minutes=2)

    at_once(till.desk.work, second_till.desk.work)

    (session,) = sessions_at_stripe(client)
    assert [row["session_id"] for row in till.orders] == [session.id]


@pytest.mark.parametrize(("sku", "quantity", "error"), [("car", 1, UnknownProduct), ("mug", 7, QuantityRefused)])
def test_what_is_not_for_sale_reaches_nobody(till: Till, sku: str, quantity: int, error: type[Exception]) -> None:
    """A misspelt code or an impossible quantity leaves no order, and Stripe is not asked."""
    with pytest.raises(error):
        till.desk.checkout(sku, user=ADA, quantity=quantity)

    assert till.orders == []
    assert till.wire.calls == []


def test_a_price_that_is_missing_says_where_to_look(unstocked_till: Till) -> None:
    """The commonest mistake of going live: prices of the other mode."""
    with pytest.raises(UnknownPrice, match=r"no price for 'ebook' in test mode: looked for lookup key 'ebook'"):
        unstocked_till.desk.checkout("ebook")

    assert unstocked_till.orders == []


def test_a_price_that_is_not_the_catalogs_is_not_sold(till: Till, client: stripe.StripeClient) -> None:
    """The pricing page said $19; nobody is charged anything else."""
    client.v1.prices.create(
        {
            "product": "paydesk_ebook",
            "currency": "usd",
            "unit_amount": 2900,
            "lookup_key": "ebook",
            "transfer_lookup_key": True,
        }
    )

    with pytest.raises(PriceMismatch, match=r"sells 'ebook' at \$19\.00, once, but price_\w+ at Stripe is \$29\.00"):
        till.desk.checkout("ebook")


def test_the_price_is_looked_up_once(till: Till) -> None:
    """A sale costs no call that the last one has made."""
    till.desk.checkout("ebook")
    till.desk.checkout("ebook")

    assert len(till.wire.sent("GET /v1/prices")) == 1


def at_once(*works: Callable[[], T]) -> list[T]:
    """Start everything at the same moment; answers what came of each."""
    gate = threading.Barrier(len(works))
    found: list[T] = []
    errors: list[BaseException] = []

    def run(work: Callable[[], T]) -> None:
        gate.wait()
        try:
            found.append(work())
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    return found
