"""`paydesk events` and `paydesk effects`: what is in the inbox, and trying again what failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update

from paydesk import OrderPaid

if TYPE_CHECKING:
    import stripe

    from tests.billing.owner import Owner

BROKEN = "the warehouse is closed, and so is sk_test_abcdefghijkl"


@pytest.fixture
def order_id(owner: Owner, client: stripe.StripeClient) -> str:
    """An order that is paid, and that the handler failed to deliver until it was given up."""
    owner.is_broken = True

    def deliver(paid: OrderPaid) -> None:
        if owner.is_broken:
            raise RuntimeError(BROKEN)
        owner.delivered.append(paid.order.id)

    owner.till.desk.on(OrderPaid)(deliver)
    order_id = owner.sells()
    owner.till.deliver(client)
    owner.works()
    give_up(owner)
    return order_id


def give_up(owner: Owner) -> None:
    """As if every try had been made."""
    table = owner.till.desk.store.tables.effects
    with owner.till.desk.store.write() as connection:
        connection.execute(update(table).values(state="dead"))


def event_of(owner: Owner, kind: str) -> dict[str, Any]:
    (found,) = owner.reads("events", "list", "--type", kind)
    event: dict[str, Any] = found
    return event


def test_events_are_listed_and_shown(owner: Owner, order_id: str) -> None:
    """What Stripe told, what became of it, and whom it concerned."""
    completed = event_of(owner, "checkout.session.completed")
    everything = owner.reads("events", "list")
    some = owner.reads("events", "list", "--type", "payment_intent.*", "--state", "applied")
    about = owner.reads("events", "list", "--about", completed["about"])
    shown = owner.reads("events", "show", completed["id"])
    for_people = owner.runs("events", "list")

    assert (completed["state"], completed["error"]) == ("applied", None)
    assert {each["type"] for each in some} >= {"payment_intent.created", "payment_intent.succeeded"}
    assert len(some) < len(everything)
    assert completed["id"] in {each["id"] for each in about}
    assert shown["payload"]["data"]["object"]["client_reference_id"] == order_id
    assert completed["id"] in for_people.stdout


def test_dead_letters_are_read_and_run_again(owner: Owner, order_id: str) -> None:
    """Whoever mends the handler runs what it failed at; nothing else happens again."""
    (dead,) = owner.reads("effects", "list", "--state", "dead")
    shown = owner.runs("effects", "show", str(dead["id"]))
    owner.is_broken = False

    retried = owner.runs("effects", "retry", "--all")
    owner.works()
    again = owner.runs("effects", "retry", str(dead["id"]))
    owner.works()

    assert dead["source"] == f"fact:order.paid:{order_id}"
    assert "RuntimeError: the warehouse is closed" in shown.stdout
    assert "abcdefghijkl" not in shown.stdout
    assert retried.stdout == "1 effect will be tried again at once.\n"
    assert owner.delivered == [order_id]
    assert again.returncode == 1


@pytest.mark.parametrize(
    ("choice", "number"), [(["--handler", "tests.*"], 1), (["--handler", "nobody.*"], 0), (["--handler", "%"], 0)]
)
def test_dead_letters_of_one_handler_are_run_again(owner: Owner, order_id: str, choice: list[str], number: int) -> None:
    """After a mended handler, only what it failed at."""
    retried = owner.runs("effects", "retry", *choice)

    assert retried.stdout.startswith(f"{number} effect")
    assert len(owner.reads("effects", "list", "--state", "waiting")) == number


def test_a_dead_event_is_tried_again(owner: Owner, order_id: str) -> None:
    """With all its tries, and at once. What is applied stays so."""
    table = owner.till.desk.store.tables.events
    event = event_of(owner, "checkout.session.completed")
    with owner.till.desk.store.write() as connection:
        mine = table.c.id == event["id"]
        connection.execute(update(table).where(mine).values(state="dead", attempts=20, last_error="Traceback\nOops"))

    dead = owner.runs("events", "list", "--state", "dead")
    retried = owner.runs("events", "retry", event["id"])
    owner.works()
    again = owner.runs("events", "retry", event["id"])

    assert "Oops" in dead.stdout
    assert retried.stdout == "1 event will be tried again at once.\n"
    assert event_of(owner, "checkout.session.completed")["state"] == "applied"
    assert again.returncode == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["events", "show", "evt_nowhere"], "no event evt_nowhere"),
        (["effects", "show", "404"], "no effect 404"),
        (["events", "retry"], "Say which"),
        (["effects", "retry", "1", "--all"], "Say which"),
        (["events", "list", "--database-url", "sqlite:///other.db"], "paydesk migrate"),
        (["effects", "list", "--database-url", "mysql://here"], "DATABASE_URL"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(owner: Owner, arguments: list[str], says: str) -> None:
    """And what to do instead; never a traceback."""
    ended = owner.runs(*arguments)

    assert ended.returncode in (1, 2)
    assert says in ended.stderr
    assert "Traceback" not in ended.stderr
