"""The relay: each fact once and in order, whatever dies on the way."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from paydesk.billing.inbox.lanes import LEASE
from paydesk.billing.relay.jetstream import JetStream, NotTheEnd, StreamConfig
from paydesk.billing.relay.relay import BATCH, LANE, token
from paydesk.errors import ConfigurationError, RelayUnavailable
from tests.waiting import until

if TYPE_CHECKING:
    from tests.billing.relay.conftest import App


def orders(number: int, first: int = 0) -> list[str]:
    return [f"ord_{each}" for each in range(first, first + number)]


def test_a_fact_says_whom_it_is_about_and_what_happened(app: App) -> None:
    """The subject leads with the customer, the id is the fact's key, the body is the fact."""
    app.names("ord_1", customer="cus_Ada")

    assert app.relay().send_due() == 1

    (message,) = app.nats.messages()
    assert (message.id, message.subject) == ("order.paid:ord_1", "paydesk.cus_Ada.order.paid")
    told = json.loads(message.body)
    assert (told["key"], told["type"], told["event_id"]) == ("order.paid:ord_1", "order.paid", None)
    assert told["created_at"] == app.clock().isoformat()
    assert told["fact"]["order"]["amount_minor"] == 1900


def test_what_has_left_is_not_sent_again(app: App) -> None:
    """A row says for itself whether it has left; the next relay believes it."""
    app.names(*orders(3))
    app.relay().send_due()

    assert app.relay().send_due() == 0
    assert app.told == orders(3)


def test_more_than_a_batch_leaves_in_order(app: App) -> None:
    """However much waits, it arrives in the order in which it happened."""
    app.names(*orders(BATCH + 10))
    relay = app.relay()

    assert [relay.send_due(), relay.send_due(), relay.send_due()] == [BATCH, 10, 0]
    assert app.told == orders(BATCH + 10)


@pytest.mark.parametrize("far", [0, 1, 4, 7])
def test_a_relay_that_dies_before_it_could_say_so_doubles_nothing(app: App, far: int) -> None:
    """However far it had come, and however long ago: JetStream's own memory of ids is too short to help here."""
    app.nats.make_stream("PAYDESK", "paydesk.>", duplicate_window=0.1)
    app.names(*orders(7))
    dying = app.relay()
    end, _ = dying._stream.end(1)  # noqa: SLF001 - what it sent, and never came to mark
    dying._stream.append([dying._message(each) for each in dying.outbox.waiting(far)] if far else [], end)  # noqa: SLF001 - as above
    app.names(*orders(2, first=7))
    until(lambda: app.nats.has_forgotten("order.paid:ord_0"), "JetStream to forget")

    assert app.relay().send_due() == 9
    assert app.told == orders(9)


def test_a_database_that_goes_away_before_it_could_be_told_doubles_nothing(app: App) -> None:
    """The relay lives on, and comes back after JetStream has forgotten the ids: it looks at the stream again."""
    app.nats.make_stream("PAYDESK", "paydesk.>", duplicate_window=0.1)
    app.names(*orders(3))
    relay = app.relay()
    lease = relay._lanes.claim(LANE)  # noqa: SLF001 - it sends, and the database takes no mark
    assert lease is not None
    relay._send(relay.outbox.waiting(BATCH), lease)  # noqa: SLF001 - as above
    app.clock.advance(seconds=LEASE.total_seconds() + 1)
    until(lambda: app.nats.has_forgotten("order.paid:ord_0"), "JetStream to forget")

    assert relay.send_due() == 3
    assert app.told == orders(3)


def test_a_relay_that_overslept_writes_nothing(app: App) -> None:
    """It still thinks that it knows where the stream ends; another has gone on from there."""
    app.names(*orders(2))
    sleeper, other = app.relay(), app.relay()
    sleeper.send_due()
    app.names(*orders(2, first=2))
    lease = sleeper._lanes.claim(LANE)  # noqa: SLF001 - it falls asleep between its two steps
    assert lease is not None
    overslept = sleeper.outbox.waiting(BATCH)
    app.clock.advance(seconds=LEASE.total_seconds() + 1)
    other.send_due()
    app.names(*orders(1, first=4))
    other.send_due()

    with pytest.raises(NotTheEnd):
        sleeper._send(overslept, lease)  # noqa: SLF001 - it wakes up
    assert app.told == orders(5)


def test_of_two_relays_one_works(app: App) -> None:
    """Who has the lease sends. Once it runs out, the other does."""
    app.names(*orders(2))
    dead, living = app.relay(), app.relay()
    dead._lanes.claim(LANE)  # noqa: SLF001 - and then its machine is gone

    assert living.send_due() == 0
    app.clock.advance(seconds=LEASE.total_seconds() + 1)
    assert living.send_due() == 2
    assert app.told == orders(2)


def test_a_fact_that_became_visible_late_is_sent_too(app: App) -> None:
    """Facts of other lanes with higher numbers may have left before: no number is taken for a sign of being done."""
    app.names(*orders(3))
    with app.store.write() as connection:
        facts = app.store.tables.facts
        late = facts.c.key == "order.paid:ord_1"
        connection.execute(facts.update().where(late).values(relayed_at=app.clock()))
    relay = app.relay()
    relay.send_due()
    with app.store.write() as connection:
        connection.execute(facts.update().where(late).values(relayed_at=None))

    assert relay.send_due() == 1
    assert app.told == ["ord_0", "ord_2", "ord_1"]


def test_nats_may_be_killed_at_any_time(app: App) -> None:
    """What it acknowledged it still has; what it did not is sent again; what happened meanwhile follows."""
    relay = app.relay()
    relay.start()
    app.names(*orders(20))
    until(lambda: relay.outbox.waits() == 0, "the first twenty")
    app.nats.kill()
    app.names(*orders(20, first=20))
    app.nats.start()
    app.names(*orders(20, first=40))
    until(lambda: relay.outbox.waits() == 0, "all of them")
    relay._worker.stop()  # noqa: SLF001 - its stream is closed with the others

    assert app.told == orders(60)


def test_without_nats_it_says_so_and_keeps_everything(app: App) -> None:
    """Nothing is marked, and the lease is free for whoever can."""
    app.names(*orders(2))
    app.nats.kill()
    relay = app.relay()

    with pytest.raises(RelayUnavailable, match="Is NATS running there"):
        relay.send_due()
    assert relay.outbox.waits() == 2
    app.nats.start()
    assert relay.send_due() == 2
    assert app.told == orders(2)


def test_another_writer_in_the_stream_loses_nothing(app: App) -> None:
    """The stream is the relay's alone. If somebody writes into it all the same, the relay goes on behind them."""
    app.names(*orders(1))
    relay = app.relay()
    relay.send_due()
    app.nats.publish("paydesk.somebody.else", b"{}", "theirs")
    app.names(*orders(2, first=1))

    assert [relay.send_due(), relay.send_due()] == [0, 2]
    assert app.told == ["ord_0", "theirs", "ord_1", "ord_2"]


@pytest.mark.parametrize("url", ["nats://me:hush#hush@host", "nats://me:hush/hush@host", "nats://host:port", "a:1,"])
def test_an_address_that_is_none_is_refused_at_once(url: str) -> None:
    """Before anything is sent, and without repeating the password that is mostly why."""
    config = StreamConfig(url)

    with pytest.raises(ConfigurationError) as refused:
        JetStream(config)

    assert "hush" not in str(refused.value) + repr(config)


@pytest.mark.parametrize("url", ["nats://me:hush@one:4222, tls://two", "one:4222,two:4222", "one", "nats://[::1]:4222"])
def test_addresses_as_nats_takes_them_are_taken(url: str) -> None:
    """Several of one cluster, with a scheme or without, with a port or without."""
    JetStream(StreamConfig(url)).close()


def test_awkward_names_make_one_token() -> None:
    """A subject's tokens may hold neither dots nor spaces nor wildcards."""
    assert token("cus_1.a b>*") == "cus_1_a_b__"
