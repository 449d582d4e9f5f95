"""Usage: recorded once, added up for limits, and told to Stripe's meter once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Column, MetaData, Table, Text, select

from paydesk.billing.customers import User
from paydesk.billing.facts import InvoicePaid, UsageRecorded
from paydesk.errors import UnknownMeter, UsageRefused
from tests.billing.subscriber import ADA, Subscriber

if TYPE_CHECKING:
    import stripe
    from sqlalchemy.orm import Session

    from tests.billing.till import Till


@pytest.fixture
def ada(till: Till, client: stripe.StripeClient) -> Subscriber:
    # The sandbox's clock is the one on the wall; what is used is used now.
    till.clock.moment = till.clock.moment.now(tz=till.clock.moment.tzinfo)
    return Subscriber(till, client)


def counted(ada: Subscriber) -> float:
    """What Stripe's meter has of her."""
    meters = ada.client.v1.billing.meters
    (meter,) = meters.list({"status": "active"}).data
    start = int(ada.till.clock().timestamp()) // 3600 * 3600
    asked: Any = {"customer": ada.customer.id, "start_time": start - 7200, "end_time": start + 7200}
    return sum(each.aggregated_value for each in meters.event_summaries.list(meter.id, asked).data)


def test_what_is_recorded_is_counted_here_and_at_stripe(ada: Subscriber) -> None:
    """At once in the database, and at Stripe when the worker has told it."""
    desk = ada.till.desk

    assert desk.record(ADA, "emails", 3)
    assert desk.record(ADA, "emails")
    assert desk.used(ADA, "emails") == 4
    desk.work()

    assert counted(ada) == 4
    assert [row["state"] for row in ada.till.attempts] == ["done", "done"]


def test_one_key_counts_once(ada: Subscriber) -> None:
    """A job that runs again records again; somebody else's key is another."""
    desk = ada.till.desk

    assert desk.record(ADA, "emails", 3, key="msg_1")
    assert not desk.record(ADA, "emails", 3, key="msg_1")
    assert desk.record(User("grace"), "emails", 3, key="msg_1")
    desk.work()

    assert (desk.used(ADA, "emails"), counted(ada)) == (3, 3)


@pytest.mark.parametrize("cut", ["before", "after"])
def test_an_answer_that_is_lost_counts_once(ada: Subscriber, cut: str) -> None:
    """Told again until Stripe has answered, under the same key."""
    desk = ada.till.desk
    desk.record(ADA, "emails", 5)
    getattr(ada.till.wire, f"cut_{cut}")("POST /v1/billing/meter_events")

    desk.work()
    ada.till.wire.mend()
    ada.till.clock.advance(minutes=2)
    desk.work()

    assert counted(ada) == 5
    assert {row["state"] for row in ada.till.rows(desk.store.tables.effects)} == {"done"}


def test_limits_are_held_against_what_was_used(ada: Subscriber) -> None:
    """In the period that is paid for: what was used before it began does not count."""
    ada.subscribes("pro")
    desk = ada.till.desk
    ada.till.clock.advance(minutes=1)
    desk.record(ADA, "emails", 700, used_at=ada.till.clock() - timedelta(days=3))
    desk.record(ADA, "emails", 999)

    assert desk.used(ADA, "emails") == 999
    assert desk.allows(ADA, "emails", used=desk.used(ADA, "emails"))
    desk.record(ADA, "emails")
    assert not desk.allows(ADA, "emails", used=desk.used(ADA, "emails"))
    assert desk.used(ADA, "emails", since=ada.till.clock() - timedelta(days=9)) == 1700


def test_without_a_subscription_a_month_is_added_up(till: Till) -> None:
    """From its first day."""
    grace = User("grace")
    till.desk.record(grace, "emails", 5, used_at=till.clock().replace(day=1, hour=0))
    till.desk.record(grace, "emails", 7, used_at=till.clock().replace(day=1, hour=0) - timedelta(days=1))

    assert till.desk.used(grace, "emails") == 5


def test_who_is_no_customer_is_counted_here_alone(till: Till) -> None:
    """There is nobody at Stripe to be charged, and the worker is done with it."""
    till.desk.record(User("grace"), "emails", 5)

    till.desk.work()

    assert till.wire.sent("POST /v1/billing") == []
    assert [row["state"] for row in till.rows(till.desk.store.tables.effects)] == ["done"]


def test_a_handler_records_as_a_part_of_its_work(ada: Subscriber) -> None:
    """Through its `db`: what it wrote and recorded are one commit, and a try that failed leaves neither."""
    notes = Table("notes", MetaData(), Column("text", Text))
    desk = ada.till.desk
    with desk.store.write() as connection:
        notes.create(connection)
    tries: list[int] = []

    @desk.on(InvoicePaid)
    def send(paid: InvoicePaid, db: Session) -> None:
        db.execute(notes.insert().values(text="sent"))
        desk.record(ADA, "emails", db=db)
        tries.append(1)
        if len(tries) == 1:
            raise RuntimeError("the mail server is down")

    ada.subscribes("pro")
    assert desk.used(ADA, "emails") == 0
    ada.till.clock.advance(minutes=1)
    desk.work()

    with desk.store.read() as connection:
        assert connection.execute(select(notes)).all() == [("sent",)]
    assert (len(tries), desk.used(ADA, "emails")) == (2, 1)


def test_an_app_may_listen_to_what_is_recorded(ada: Subscriber) -> None:
    """It is a fact like any other."""
    heard: list[tuple[str, int]] = []

    @ada.till.desk.on(UsageRecorded)
    def listen(recorded: UsageRecorded) -> None:
        heard.append((recorded.usage.user_id, recorded.usage.quantity))

    ada.till.desk.record(ADA, "emails", 2)
    ada.till.desk.work()

    assert heard == [("ada", 2)]


@pytest.mark.parametrize("quantity", [0, -1, 1.5, "2", True, None])
def test_nothing_and_less_cannot_be_used(till: Till, quantity: Any) -> None:
    """Nor halves, nor words."""
    with pytest.raises(UsageRefused):
        till.desk.record(ADA, "emails", quantity)


def test_a_misspelt_meter_is_refused(till: Till) -> None:
    """With those there are, and how to add one."""
    with pytest.raises(UnknownMeter, match=r"no meter 'mails'\. It has: emails"):
        till.desk.record(ADA, "mails")
    with pytest.raises(UnknownMeter):
        till.desk.used(ADA, "mails")


def test_pushing_makes_each_meter_once(till: Till, client: stripe.StripeClient) -> None:
    """It may run at every start."""
    till.desk.catalog.push(client)

    (meter,) = client.v1.billing.meters.list({"status": "active"}).data
    assert (meter.event_name, meter.display_name) == ("emails_sent", "E-mails sent")
    assert meter.default_aggregation.formula == "sum"


def test_usage_can_be_awaited(ada: Subscriber) -> None:
    """From a coroutine, in a thread."""
    aio = ada.till.desk.aio

    async def story() -> int:
        await aio.record(ADA, "emails", 2, key="msg_1")
        return await aio.used(ADA, "emails")

    assert asyncio.run(story()) == 2
