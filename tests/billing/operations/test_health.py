"""Health: one word on whether what Stripe tells is worked on in time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from paydesk.billing.catalog import Catalog
from paydesk.billing.desk import Paydesk
from paydesk.billing.settings import Settings
from paydesk.errors import ConfigurationError
from tests.billing.shop import customer
from tests.billing.till import CATALOG
from tests.postgres import launch

if TYPE_CHECKING:
    from pathlib import Path

    from tests.billing.conftest import Clock
    from tests.billing.till import Till
    from tests.billing.wire import Wire

SECRETS = {
    "STRIPE_SECRET_KEY": "sk_test_health",
    "STRIPE_WEBHOOK_SECRET": "whsec_health",
    "STRIPE_API_BASE": "http://127.0.0.1:9",
    "BASE_URL": "https://shop.example",
}


def told(till: Till, number: int = 1) -> None:
    """Stripe tells of a customer, whom it then does not show: nobody can be asked at this moment."""
    event = {"id": f"evt_{number}", "object": "event", "type": "customer.updated", "livemode": False}
    created = int(till.clock().timestamp())
    till.receive({**event, "created": created, "data": {"object": customer(id=f"cus_{number}")}})


def test_an_app_with_nothing_to_do_is_well(unstocked_till: Till) -> None:
    """Also one that was never asked for anything yet."""
    health = unstocked_till.desk.health()

    assert (health.condition, health.oldest_seconds, health.is_well) == ("ok", 0, True)


def test_an_event_that_nobody_applies_makes_it_late(unstocked_till: Till, clock: Clock) -> None:
    """A worker that died is noticed by the first event it leaves lying, and not by the number of them."""
    told(unstocked_till)
    clock.advance(seconds=200)
    told(unstocked_till, 2)
    clock.advance(seconds=100)
    before = unstocked_till.desk.health()

    clock.advance(seconds=1)

    after = unstocked_till.desk.health()
    assert (before.condition, before.oldest_seconds) == ("ok", 300)
    assert (after.condition, after.oldest_seconds, after.is_well) == ("late", 301, False)


def test_it_is_well_again_when_the_work_is_done(unstocked_till: Till, clock: Clock, wire: Wire) -> None:
    """What is applied, and what waits for its next try, is not late."""
    told(unstocked_till)
    wire.answer("GET /v1/customers/cus_1", 404, b'{"error": {"type": "invalid_request_error", "message": "No"}}')
    clock.advance(hours=1)
    late = unstocked_till.desk.health()

    unstocked_till.desk.work()

    assert (late.condition, unstocked_till.desk.health().condition) == ("late", "ok")


def test_a_stripe_that_does_not_answer_makes_it_late(unstocked_till: Till, clock: Clock, wire: Wire) -> None:
    """A worker that tries in vain is no better than none, for whoever waits."""
    wire.cut_before("GET")
    told(unstocked_till)
    clock.advance(minutes=6)

    unstocked_till.desk.work()

    assert unstocked_till.desk.health().condition == "late"


def test_a_handler_that_fails_is_no_matter_of_health(unstocked_till: Till, clock: Clock) -> None:
    """It has dead letters of its own, and harms nobody else: an app is not taken out of service for it."""
    with unstocked_till.desk.store.write() as connection:
        row = {"source": "fact:order.paid:1", "handler": "fail", "state": "waiting"}
        now = clock()
        connection.execute(unstocked_till.desk.store.tables.effects.insert().values(**row, next_at=now, created_at=now))
    clock.advance(hours=1)

    assert unstocked_till.desk.health().is_well


def desk_at(database_url: str, **secrets: str) -> Paydesk:
    return Paydesk(Settings.read({**SECRETS, "DATABASE_URL": database_url, **secrets}), catalog=Catalog.parse(CATALOG))


def test_tables_that_are_not_there_are_said_and_not_made(tmp_path: Path) -> None:
    """Asking how an app is does not change its database; once it is migrated, it is well."""
    desk = desk_at(f"sqlite:///{tmp_path / 'empty.db'}")
    before = [desk.health().condition for _ in range(2)]

    desk.open()

    assert (before, desk.health().condition) == (["not_migrated"] * 2, "ok")
    desk.close()


def test_a_database_that_cannot_be_asked_is_an_answer(tmp_path: Path) -> None:
    """At the first question, and after it was well."""
    folder = tmp_path / "gone"
    never = desk_at(f"sqlite:///{folder / 'app.db'}")
    with launch() as server:
        once = desk_at(server.url(server.create()))
        once.open()
        well = once.health().condition

    conditions = [never.health().condition, well, once.health().condition]

    assert conditions == ["no_database", "ok", "no_database"]
    never.close()
    once.close()


def test_how_late_is_too_late_can_be_set(tmp_path: Path) -> None:
    """PAYDESK_LATE_SECONDS, which must be a number."""
    desk = desk_at(f"sqlite:///{tmp_path / 'app.db'}", PAYDESK_LATE_SECONDS="60")
    assert desk.health().late_after_seconds == 60
    desk.close()

    for wrong in ("0", "soon", "86401", "-1"):
        with pytest.raises(ConfigurationError, match="PAYDESK_LATE_SECONDS"):
            Settings.read({**SECRETS, "PAYDESK_LATE_SECONDS": wrong})
