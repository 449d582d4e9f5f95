"""The mirror of subscriptions: whatever the order, the number and the age of what arrives, it ends as Stripe is."""

from __future__ import annotations

import itertools
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from paydesk.billing.facts import SubscriptionStarted, TrialEnding
from tests.billing.shop import CREATED, Shop, customer, price
from tests.billing.subscribed import DAY, MONTH, canceled, item, recurring_price, subscription

if TYPE_CHECKING:
    from collections.abc import Iterator

    from paydesk.billing.store.store import Store
    from tests.billing.conftest import Clock
    from tests.billing.stand_in import StandIn

UPDATED, CREATED_EVENT, DELETED = (f"customer.subscription.{what}" for what in ("updated", "created", "deleted"))


@pytest.fixture(params=["test", "live"])
def shop(request: pytest.FixtureRequest, store: Store, stripe_stand_in: StandIn, clock: Clock) -> Iterator[Shop]:
    """In test mode every object is read; in live mode a payload is believed where it is certainly newer."""
    opened = Shop(store, stripe_stand_in, clock, livemode=request.param == "live")
    stripe_stand_in.put(customer())
    yield opened
    opened.inbox.close()


def row(shop: Shop, number: int = 1) -> dict[str, Any]:
    return shop.row(shop.store.tables.subscriptions, id=f"sub_{number}")


def prices_of(shop: Shop) -> list[str]:
    return sorted(each["price_id"] for each in shop.rows(shop.store.tables.subscription_items))


def user_of(shop: Shop, stripe_id: str | None = "cus_1") -> None:
    """Ada is this customer."""
    linked = {"user_id": "ada", "stripe_id": stripe_id, "created_at": shop.clock(), "updated_at": shop.clock()}
    with shop.store.write() as connection:
        connection.execute(shop.store.tables.customers.insert().values(**linked))


def test_a_subscription_is_a_row_people_can_query(shop: Shop, stripe_stand_in: StandIn) -> None:
    """Who, which plan, how many, until when, for how much; and the whole object beside it."""
    user_of(shop)
    pro = subscription(item(quantity=3), trial_end=CREATED + DAY, status="trialing")
    stripe_stand_in.put(pro)

    shop.deliver(CREATED_EVENT, pro)
    shop.work()

    found = row(shop)
    assert (found["user_id"], found["customer_id"]) == ("ada", "cus_1")
    assert (found["plan"], found["status"], found["seats"]) == ("pro", "trialing", 3)
    assert (found["amount_minor"], found["currency"], found["billed_every"]) == (8700, "usd", "month")
    assert found["current_period_end"].timestamp() == CREATED + MONTH
    assert found["trial_ends_at"].timestamp() == CREATED + DAY
    assert (found["cancels_at"], found["ended_at"], found["slot"]) == (None, None, "main")
    assert found["object"] == pro
    assert shop.row(shop.store.tables.subscription_items)["plan"] == "pro"


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_c1_c2_b3_b5_what_has_ended_stays_ended(shop: Shop, stripe_stand_in: StandIn, order: tuple[int, ...]) -> None:
    """Created, updated, deleted, in any order: cancelled in the end, and never shown as gone."""
    stripe_stand_in.put(canceled())
    told = [
        (CREATED_EVENT, subscription(), CREATED),
        (UPDATED, subscription(metadata={"seen": "late"}), CREATED + 60),
        (DELETED, canceled(), CREATED + DAY),
    ]

    for kind, payload, stamp in (told[place] for place in order):
        shop.deliver(kind, payload, created=stamp)
        shop.work()

    assert (row(shop)["status"], row(shop)["deleted_at"]) == ("canceled", None)
    assert row(shop)["ended_at"].timestamp() == CREATED + DAY
    assert set(shop.event_states()) == {"applied"}


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("together", [True, False])
def test_c7_s1_x1_two_states_of_one_second_end_as_the_later(
    shop: Shop, stripe_stand_in: StandIn, order: tuple[int, int], together: bool
) -> None:
    """Incomplete and active carry the same stamp, and event ids have no order: Stripe is asked."""
    stripe_stand_in.put(subscription(status="active"))
    told = [
        (CREATED_EVENT, subscription(status="incomplete"), "evt_2"),
        (UPDATED, subscription(status="active"), "evt_1"),
    ]

    for kind, payload, event_id in (told[place] for place in order):
        shop.deliver(kind, payload, event_id=event_id)
        if not together:
            shop.work()
    shop.work()

    assert row(shop)["status"] == "active"
    assert shop.facts() == ["subscription.started:sub_1"]


def test_c3_items_that_are_missing_come_with_the_next_look(shop: Shop, stripe_stand_in: StandIn) -> None:
    """Row and items are one commit. What another version left half-way is made whole by any event."""
    stripe_stand_in.put(subscription())
    shop.deliver(CREATED_EVENT, subscription())
    shop.work()
    assert prices_of(shop) == ["price_pro"]
    with shop.store.write() as connection:
        connection.execute(shop.store.tables.subscription_items.delete())

    shop.deliver(UPDATED, subscription(), created=CREATED + 60)
    shop.work()

    assert prices_of(shop) == ["price_pro"]


def test_c3_a_subscription_is_not_written_without_its_items(shop: Shop, stripe_stand_in: StandIn) -> None:
    """What keeps the items from being written keeps all of it, and the event waits."""
    stripe_stand_in.put(subscription())
    items = shop.store.tables.subscription_items.name
    with shop.store.write() as connection:
        connection.execute(text(f"ALTER TABLE {items} RENAME TO items_away"))
    shop.deliver(CREATED_EVENT, subscription())
    with suppress(SQLAlchemyError):
        shop.work()
    assert (shop.rows(shop.store.tables.subscriptions), shop.facts()) == ([], [])
    assert shop.event_states() == ["received"]

    with shop.store.write() as connection:
        connection.execute(text(f"ALTER TABLE items_away RENAME TO {items}"))
    shop.clock.advance(hours=1)
    shop.work()

    assert prices_of(shop) == ["price_pro"]
    assert shop.facts() == ["subscription.started:sub_1"]


@pytest.mark.parametrize("items", [{"object": "list", "data": [], "has_more": False}, None])
def test_c8_an_event_without_items_is_read_and_not_stumbled_over(
    shop: Shop, stripe_stand_in: StandIn, items: dict[str, Any] | None
) -> None:
    """The status is what Stripe says, and so are the items."""
    stripe_stand_in.put(subscription(status="past_due"))

    shop.deliver(UPDATED, subscription(status="past_due", items=items))
    shop.work()

    assert (row(shop)["status"], prices_of(shop)) == ("past_due", ["price_pro"])


def test_d3_an_item_that_was_removed_is_gone(shop: Shop, stripe_stand_in: StandIn) -> None:
    """What somebody pays for is what Stripe has, not what it had."""
    extra = item(recurring_price("extra", 500), number=2)
    stripe_stand_in.put(subscription(item(), extra))
    shop.deliver(CREATED_EVENT, subscription(item(), extra))
    shop.work()
    assert prices_of(shop) == ["price_extra", "price_pro"]

    stripe_stand_in.put(subscription(item()))
    shop.deliver(UPDATED, subscription(item()), created=CREATED + 60)
    shop.work()

    assert prices_of(shop) == ["price_pro"]


def test_s3_an_older_event_after_a_swap_brings_nothing_back(shop: Shop, stripe_stand_in: StandIn) -> None:
    """Neither the subscription nor its items."""
    swapped = subscription(item(recurring_price("starter", 900), number=2))
    stripe_stand_in.put(swapped)
    shop.deliver(UPDATED, swapped, created=CREATED + 60)
    shop.work()

    shop.deliver(CREATED_EVENT, subscription(item()), created=CREATED)
    shop.work()

    assert prices_of(shop) == ["price_starter"]
    assert row(shop)["plan"] == "starter"


def test_b2_a_second_subscription_leaves_the_first_alone(shop: Shop, stripe_stand_in: StandIn) -> None:
    """Updated before created, of the same customer: two subscriptions are two rows."""
    first, second = subscription(), subscription(item(number=2, subscription="sub_2"), number=2, status="past_due")
    stripe_stand_in.put(first, second)
    shop.deliver(CREATED_EVENT, first)
    shop.work()

    shop.deliver(UPDATED, second, created=CREATED + 60)
    shop.deliver(CREATED_EVENT, second, created=CREATED + 59)
    shop.work()

    assert [row(shop, number)["status"] for number in (1, 2)] == ["active", "past_due"]


def test_s6_s7_what_was_read_after_an_event_is_not_overtaken_by_it(shop: Shop, stripe_stand_in: StandIn) -> None:
    """Refetched at .2, cancelled at .4, and the event about that carries the whole second: it is read once more."""
    stripe_stand_in.put(subscription(), customer())
    for number in range(2):  # of two payloads nobody knows which is newer: it is read in live mode too
        shop.deliver(UPDATED, subscription(), created=CREATED, event_id=f"evt_{number}")
    shop.work()
    assert "/v1/subscriptions/sub_1" in stripe_stand_in.calls

    stripe_stand_in.put(canceled())
    shop.deliver(DELETED, canceled(), created=CREATED)
    shop.work()

    assert row(shop)["status"] == "canceled"


def test_s9_a_payload_of_an_old_version_fills_the_same_columns(
    store: Store, stripe_stand_in: StandIn, clock: Clock
) -> None:
    """An endpoint made without a version writes as the account did years ago; no column is left empty for that."""
    shop = Shop(store, stripe_stand_in, clock, livemode=True)
    stripe_stand_in.put(customer())
    without_periods = {name: value for name, value in item(quantity=2).items() if not name.startswith("current_period")}
    acacia = subscription(without_periods, current_period_start=CREATED, current_period_end=CREATED + MONTH)

    shop.deliver(UPDATED, acacia, api_version="2024-09-30.acacia")
    shop.work()

    assert stripe_stand_in.calls == ["/v1/customers/cus_1"]
    assert row(shop)["current_period_end"].timestamp() == CREATED + MONTH
    assert (row(shop)["plan"], row(shop)["seats"], row(shop)["amount_minor"]) == ("pro", 2, 5800)
    shop.inbox.close()


def test_c6_p5_b6_a_subscription_heard_of_before_its_customer_has_its_owner(
    shop: Shop, stripe_stand_in: StandIn
) -> None:
    """The answer that would have told us who cus_1 is was lost; the customer says it itself."""
    user_of(shop, stripe_id=None)
    stripe_stand_in.put(customer(metadata={"paydesk_user": "ada"}), subscription())
    started: list[str | None] = []

    def start(fact: SubscriptionStarted) -> None:
        started.append(fact.subscription.user_id)

    shop.on(SubscriptionStarted, start)

    shop.deliver(CREATED_EVENT, subscription())
    shop.work()

    assert row(shop)["user_id"] == "ada"
    assert started == ["ada"]


def test_a_subscription_of_a_customer_nobody_knows_is_kept_without_an_owner(
    shop: Shop, stripe_stand_in: StandIn
) -> None:
    """Made in the dashboard, say. Nothing waits, and nobody is given what is not theirs."""
    stripe_stand_in.put(subscription())

    shop.deliver(CREATED_EVENT, subscription())
    shop.work()

    assert (row(shop)["user_id"], row(shop)["customer_id"]) == (None, "cus_1")
    assert shop.event_states() == ["applied"]


def test_an_owner_is_not_lost_with_their_customer(shop: Shop, stripe_stand_in: StandIn) -> None:
    """Deleted at Stripe, and made anew for the next purchase: what ended with the old one was still theirs."""
    user_of(shop)
    stripe_stand_in.put(subscription())
    shop.deliver(CREATED_EVENT, subscription())
    shop.work()

    shop.set(shop.store.tables.customers, user_id=None)
    stripe_stand_in.put(canceled())
    shop.deliver(DELETED, canceled(), created=CREATED + DAY)
    shop.work()

    assert (row(shop)["status"], row(shop)["user_id"]) == ("canceled", "ada")


@pytest.mark.parametrize(
    ("changes", "plan"),
    [
        ({}, "pro"),
        ({"id": "price_new", "lookup_key": "pro_yearly"}, "pro"),
        # Replaced by the catalog: its lookup key went to the new price, its product is still the plan's.
        ({"id": "price_old", "lookup_key": None, "product": "paydesk_pro"}, "pro"),
        # Made by hand: another price of its product is known to be the plan's.
        ({"id": "price_old", "lookup_key": None, "product": "prod_hand"}, "pro"),
        ({"id": "price_else", "lookup_key": "other", "product": "prod_else"}, None),
        ({"id": "price_else", "lookup_key": None, "product": None}, None),
    ],
)
def test_the_plan_is_found_by_the_price_also_where_that_was_replaced(
    shop: Shop, stripe_stand_in: StandIn, changes: dict[str, Any], plan: str | None
) -> None:
    """Who bought at last year's price is still on the plan."""
    sibling = price(id="price_hand", product="prod_hand", lookup_key="pro")
    stripe_stand_in.put(sibling)
    shop.deliver("price.created", sibling)
    theirs = subscription(item(recurring_price(**changes)))
    stripe_stand_in.put(theirs)

    shop.deliver(UPDATED, theirs)
    shop.work()

    assert row(shop)["plan"] == plan


def test_more_items_than_stripe_shows_at_once_are_all_there(shop: Shop, stripe_stand_in: StandIn) -> None:
    """It shows ten of up to twenty; the others are fetched."""
    items = [item(recurring_price(f"p{number:02}"), number=number) for number in range(12)]
    shown = subscription(*items[:10])
    shown["items"]["has_more"] = True
    stripe_stand_in.put(shown)
    stripe_stand_in.put_list("/v1/subscription_items", items[10:])

    shop.deliver(CREATED_EVENT, shown)
    shop.work()

    assert prices_of(shop) == [f"price_p{number:02}" for number in range(12)]


def test_since_when_a_payment_is_missing_is_kept(shop: Shop, stripe_stand_in: StandIn) -> None:
    """Where no invoice says, it is when Stripe first told of it, however late that is heard; until it is paid."""
    since: list[Any] = []
    for number, status in enumerate(["active", "past_due", "unpaid", "active"]):
        stripe_stand_in.put(subscription(status=status))
        shop.deliver(UPDATED, subscription(status=status), created=CREATED + 60 * number)
        shop.work()
        since.append(row(shop)["past_due_since"])
        shop.clock.advance(days=1)

    first_told = datetime.fromtimestamp(CREATED + 60, UTC)
    assert since == [None, first_told, first_told, None]


def test_a_trial_that_ends_is_told_when_stripe_tells_it(shop: Shop, stripe_stand_in: StandIn) -> None:
    """Once, however often and however late it is heard; and again if the trial was made longer."""
    told: list[Any] = []

    def remind(fact: TrialEnding) -> None:
        told.append(fact.subscription.trial_ends_at)

    shop.on(TrialEnding, remind)
    ends = [CREATED + 3 * DAY, CREATED + 9 * DAY]

    for end in ends:
        trial = subscription(status="trialing", trial_end=end)
        stripe_stand_in.put(trial)
        # Something newer is known already when it arrives.
        shop.deliver(UPDATED, trial, created=end - DAY)
        shop.work()
        for _ in range(2):
            shop.deliver("customer.subscription.trial_will_end", trial, created=end - 3 * DAY)
            shop.work()

    assert [end.timestamp() for end in told] == ends


def test_a_trial_that_is_over_is_not_told_to_end(shop: Shop, stripe_stand_in: StandIn) -> None:
    """The event was late, and the customer pays already."""
    stripe_stand_in.put(subscription(status="active", trial_end=CREATED + DAY))

    shop.deliver("customer.subscription.trial_will_end", subscription(status="trialing", trial_end=CREATED + DAY))
    shop.work()

    assert shop.facts() == ["subscription.started:sub_1"]


def test_a_discount_is_read_with_what_it_was_given_to(shop: Shop, stripe_stand_in: StandIn) -> None:
    """Stripe tells of the discount alone; the mirrored subscription shows it."""
    stripe_stand_in.put(subscription())
    shop.deliver(CREATED_EVENT, subscription())
    shop.work()
    stripe_stand_in.put(subscription(discounts=["di_1"]))
    discount = {"id": "di_1", "object": "discount", "customer": "cus_1", "subscription": "sub_1"}

    shop.deliver("customer.discount.created", discount, created=CREATED + 60)
    shop.work()

    assert row(shop)["object"]["discounts"] == ["di_1"]
