"""The ledger, and the customer who comes back: paid is paid, whoever notices first, and delivered once."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from paydesk.billing.customers import User
from paydesk.billing.desk import Paydesk
from paydesk.billing.facts import OrderPaid
from paydesk.billing.settings import Settings
from paydesk.errors import OrderNotFound, SignatureRefused, StripeRefused, StripeUnavailable
from tests.billing.paying import DECLINED_CARD, pay
from tests.billing.till import Till, sessions_at_stripe
from tests.emulator.controls import Controls

if TYPE_CHECKING:
    from collections.abc import Callable

    import stripe

    from paydesk.billing.checkout import Checkout
    from tests.billing.conftest import Clock

ADA = User("ada", "ada@example.com")
SESSION = "POST /v1/checkout/sessions"
SLOW_BANK_SECONDS = 3600


@pytest.fixture
def delivered(till: Till, second_till: Till) -> list[str]:
    """The orders that the app has delivered, in whichever of its two processes."""
    done: list[str] = []

    @till.desk.on(OrderPaid)
    @second_till.desk.on(OrderPaid)
    def deliver(paid: OrderPaid) -> None:
        done.append(paid.order.id)

    return done


def session_of(till: Till, checkout: Checkout) -> str:
    (session_id,) = [row["session_id"] for row in till.orders if row["id"] == checkout.order.id]
    return str(session_id)


def test_a_customer_who_comes_back_first_finds_the_order_paid(
    till: Till, client: stripe.StripeClient, delivered: list[str]
) -> None:
    """The redirect may be faster than the webhook: what the customer sees does not depend on it."""
    checkout = till.desk.checkout("ebook", user=ADA)
    assert pay(checkout.url).status == 303

    progress = till.desk.look_up(session_of(till, checkout))
    till.desk.work()
    till.deliver(client)
    till.desk.work()

    assert (progress.stage, progress.order.status, progress.pay_url) == ("paid", "paid", None)
    assert delivered == [checkout.order.id]


def test_a_lost_webhook_is_made_up_for_by_the_thanks_page(till: Till, delivered: list[str]) -> None:
    """No webhook ever arrives, and the order is delivered all the same."""
    checkout = till.desk.checkout("ebook")
    pay(checkout.url)

    till.desk.look_up(session_of(till, checkout))
    till.desk.look_up(session_of(till, checkout))
    till.desk.work()

    assert delivered == [checkout.order.id]
    assert till.desk.order(checkout.order.id).email == "ada@example.com"


def test_page_and_webhook_at_the_same_moment_deliver_once(
    till: Till, second_till: Till, client: stripe.StripeClient, delivered: list[str]
) -> None:
    """Two processes find the same payment at once; the order is delivered once."""
    checkout = till.desk.checkout("ebook", user=ADA)
    pay(checkout.url)
    session_id = session_of(till, checkout)
    till.deliver(client)

    works: list[Callable[[], object]] = [lambda: second_till.desk.look_up(session_id), till.desk.work]
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    till.desk.work()

    assert delivered == [checkout.order.id]


def test_an_unpaid_order_can_still_be_paid(till: Till, delivered: list[str]) -> None:
    """A customer who looks too early is shown the way back to the payment, and nothing is delivered."""
    checkout = till.desk.checkout("ebook", user=ADA)

    progress = till.desk.look_up(session_of(till, checkout))
    till.desk.work()

    assert (progress.stage, progress.pay_url) == ("open", checkout.url)
    assert delivered == []


def test_a_declined_card_leaves_the_order_open(till: Till, delivered: list[str]) -> None:
    """The customer may try another card on the same page."""
    checkout = till.desk.checkout("ebook", user=ADA)
    assert pay(checkout.url, card=DECLINED_CARD).status != 303
    session_id = session_of(till, checkout)

    assert till.desk.look_up(session_id).stage == "open"
    assert pay(checkout.url).status == 303
    assert till.desk.look_up(session_id).stage == "paid"

    till.desk.work()
    assert delivered == [checkout.order.id]


@pytest.mark.parametrize(
    ("account", "stage", "count"),
    [("successDelayed_de", "paid", 1), ("failedDelayed_de", "failed", 0)],
)
def test_a_slow_payment_is_on_its_way_until_the_bank_answers(
    till: Till, client: stripe.StripeClient, delivered: list[str], account: str, stage: str, count: int
) -> None:
    """The form is filled in and the money is not here yet: nothing is delivered before it is."""
    checkout = till.desk.checkout("mug", user=ADA)
    session_id = session_of(till, checkout)
    client.raw_request(
        "post",
        f"/v1/payment_pages/{session_id}/confirm",
        payment_method=f"pm_sepaDebit_{account}",
        email="ada@example.com",
    )

    meanwhile = till.desk.look_up(session_id)
    till.deliver(client)
    till.desk.work()
    assert (meanwhile.stage, meanwhile.pay_url, delivered) == ("processing", None, [])

    controls = Controls(till.wire.stripe_url, till.settings.stripe_secret_key.get_secret_value())
    controls.push(SLOW_BANK_SECONDS)
    controls.close()

    assert till.desk.look_up(session_id).stage == stage
    till.desk.work()
    assert len(delivered) == count


def test_an_expired_page_is_told_as_such(till: Till, client: stripe.StripeClient) -> None:
    """Nobody paid in time."""
    checkout = till.desk.checkout("ebook", user=ADA)
    session_id = session_of(till, checkout)
    client.v1.checkout.sessions.expire(session_id)

    progress = till.desk.look_up(session_id)

    assert (progress.stage, progress.pay_url) == ("expired", None)


def test_an_invented_session_is_nobodys(till: Till) -> None:
    """Anybody can type an id into the address bar; Stripe is not asked about each."""
    till.desk.checkout("ebook", user=ADA)
    asked = len(till.wire.calls)

    with pytest.raises(OrderNotFound):
        till.desk.look_up("cs_test_invented")

    assert len(till.wire.calls) == asked


def test_an_order_that_failed_long_ago_opens_no_door(till: Till, clock: Clock) -> None:
    """Its page, if there ever was one, is closed: from then on invented ids cost no questions again."""
    till.wire.answer(SESSION, 400, b'{"error": {"type": "invalid_request_error", "message": "Not a valid URL"}}')
    with pytest.raises(StripeRefused):
        till.desk.checkout("ebook")
    clock.advance(days=2)
    asked = len(till.wire.calls)

    with pytest.raises(OrderNotFound):
        till.desk.look_up("cs_test_invented")

    assert len(till.wire.calls) == asked


def test_a_session_of_another_app_is_not_ours(till: Till, client: stripe.StripeClient) -> None:
    """The same Stripe account may serve other shops."""
    (price,) = client.v1.prices.list({"lookup_keys": ["ebook"]}).data
    foreign = client.v1.checkout.sessions.create(
        {"mode": "payment", "line_items": [{"price": price.id, "quantity": 1}], "success_url": "https://other.example"}
    )
    assert foreign.url is not None
    pay(foreign.url)
    till.deliver(client)
    till.desk.work()

    with pytest.raises(OrderNotFound):
        till.desk.look_up(foreign.id)
    assert till.orders == []


def test_y4_a_payment_finds_its_order_though_we_died_before_noting_the_page(
    till: Till, client: stripe.StripeClient, clock: Clock, delivered: list[str]
) -> None:
    """Stripe had made the page when we died; the customer paid there; the order knows by the id it carries."""
    till.wire.cut_after(SESSION)
    with pytest.raises(StripeUnavailable):
        till.desk.checkout("ebook", user=ADA)
    till.wire.mend()
    (session,) = sessions_at_stripe(client)
    assert session.url is not None
    pay(session.url)

    progress = till.desk.look_up(session.id)
    clock.advance(minutes=2)
    till.desk.work()

    assert (progress.stage, progress.order.id) == ("paid", session.client_reference_id)
    assert delivered == [session.client_reference_id]
    assert [row["status"] for row in till.orders] == ["paid"]
    assert {attempt["state"] for attempt in till.attempts} == {"done"}


def test_when_stripe_is_silent_the_page_shows_what_is_known(till: Till) -> None:
    """A customer who has paid is not shown an error because Stripe is busy."""
    checkout = till.desk.checkout("ebook", user=ADA)
    pay(checkout.url)
    session_id = session_of(till, checkout)

    till.wire.cut_before("GET /v1/checkout/sessions")
    assert till.desk.look_up(session_id).stage == "open"

    till.wire.mend()
    assert till.desk.look_up(session_id).stage == "paid"


def test_a_paid_order_costs_no_more_questions(till: Till) -> None:
    """Reloading the thanks page is free."""
    checkout = till.desk.checkout("ebook", user=ADA)
    pay(checkout.url)
    session_id = session_of(till, checkout)
    till.desk.look_up(session_id)
    asked = len(till.wire.calls)

    till.desk.look_up(session_id)

    assert len(till.wire.calls) == asked


def test_y5_an_order_paid_after_its_price_was_archived_is_delivered(
    till: Till, client: stripe.StripeClient, delivered: list[str]
) -> None:
    """The money is captured: nothing that happens to the catalog meanwhile may refuse the order."""
    checkout = till.desk.checkout("ebook", user=ADA)
    pay(checkout.url)
    (price,) = client.v1.prices.list({"lookup_keys": ["ebook"]}).data
    client.v1.prices.update(price.id, {"active": False})
    client.v1.products.update("paydesk_ebook", {"active": False})

    till.deliver(client)
    till.desk.work()

    assert delivered == [checkout.order.id]


def test_y5_an_order_paid_after_it_was_given_up_is_delivered(
    till: Till, client: stripe.StripeClient, delivered: list[str]
) -> None:
    """We called it failed and the customer paid after all."""
    checkout = till.desk.checkout("ebook", user=ADA)
    with till.desk.store.write() as connection:
        connection.execute(till.desk.store.tables.orders.update().values(status="failed"))
    pay(checkout.url)

    till.deliver(client)
    till.desk.work()

    assert till.desk.order(checkout.order.id).status == "paid"
    assert delivered == [checkout.order.id]


def test_c4_an_unsigned_webhook_is_refused_and_leaves_nothing(till: Till) -> None:
    """There is no way to run without checking."""
    with pytest.raises(SignatureRefused):
        till.desk.receive(b'{"object": "event"}', None)

    assert till.rows(till.desk.store.tables.events) == []


def test_a_users_orders_are_theirs_newest_first(till: Till, clock: Clock) -> None:
    """What an account page lists."""
    first = till.desk.checkout("ebook", user=ADA)
    clock.advance(minutes=1)
    second = till.desk.checkout("mug", user=ADA)
    till.desk.checkout("mug", user=User("bob"))
    till.desk.checkout("mug")

    assert [order.id for order in till.desk.orders(ADA)] == [second.order.id, first.order.id]
    assert [order.id for order in till.desk.orders(ADA, limit=1)] == [second.order.id]


def test_what_was_bought_with_a_test_card_is_not_listed_when_live(till: Till, database_url: str) -> None:
    """The database went live with its test orders in it, and nobody paid for those."""
    checkout = till.desk.checkout("ebook", user=ADA)
    secrets = {
        "STRIPE_SECRET_KEY": "sk_live_local_till",
        "STRIPE_WEBHOOK_SECRET": "whsec_live",
        "STRIPE_API_BASE": till.wire.url,
        "BASE_URL": "https://shop.example",
        "DATABASE_URL": database_url,
    }
    live = Paydesk(Settings.read(secrets), catalog=till.desk.catalog)

    assert live.orders(ADA) == []
    assert [order.id for order in till.desk.orders(ADA)] == [checkout.order.id]
    live.close()


def test_an_unknown_order_is_not_found(till: Till) -> None:
    """With its id, so that it can be looked for."""
    with pytest.raises(OrderNotFound, match="ord_nothing"):
        till.desk.order("ord_nothing")
