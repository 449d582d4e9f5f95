"""Gates: who may do what, by what they pay for, from the database alone."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr
from sqlalchemy import event

from paydesk.billing.catalog import Catalog
from paydesk.billing.customers import User
from paydesk.billing.desk import Paydesk
from paydesk.billing.settings import Settings
from paydesk.errors import UnknownFeature

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.billing.conftest import Clock

CATALOG = Catalog.parse(
    """
[plans.starter]
name = "Starter"
price = "$9/mo"
limits = { projects = 3 }

[plans.pro]
name = "Pro"
price = "$29/mo"
features = ["export"]
limits = { projects = 10, exports = "unlimited" }
grace_days = 3

[plans.support]
name = "Support"
price = "$99/mo"
slot = "support"
features = ["telephone"]
limits = { projects = 1 }
"""
)
ADA = User(id="ada")


@dataclass
class Gate:
    """A desk, and subscriptions as the mirror would have written them."""

    desk: Paydesk
    clock: Clock

    def has(self, plan: str | None, status: str = "active", user: str = "ada", **changes: Any) -> None:
        table = self.desk.store.tables.subscriptions
        row = {"slot": "main", "seats": 1, "livemode": False, "created_at": self.clock()} | changes
        with self.desk.store.write() as connection:
            number = len(connection.execute(table.select()).all())
            connection.execute(table.insert().values(id=f"sub_{number}", user_id=user, plan=plan, status=status, **row))


@pytest.fixture
def gate(database_url: str, clock: Clock) -> Iterator[Gate]:
    settings = Settings(
        stripe_secret_key=SecretStr("sk_test_gate"),
        stripe_webhook_secrets=(SecretStr("whsec_gate"),),
        base_url="https://shop.example",
        database_url=SecretStr(database_url),
    )
    desk = Paydesk(settings, catalog=CATALOG, now=clock)
    yield Gate(desk, clock)
    desk.close()


@pytest.mark.parametrize(
    ("code", "is_allowed"),
    [("pro", True), ("export", True), ("projects", True), ("starter", False), ("telephone", False)],
)
def test_a_plan_allows_itself_and_what_is_in_it(gate: Gate, code: str, is_allowed: bool) -> None:
    """Plans, features and limits are asked for alike."""
    gate.has("pro")

    assert gate.desk.allows(ADA, code) == is_allowed


def test_whoever_has_nothing_may_nothing(gate: Gate) -> None:
    """Nobody signed in, somebody without a plan, somebody else's plan, a plan of the other mode, an unknown price."""
    gate.has("pro", user="grace")
    gate.has("pro", livemode=True)
    gate.has(None)

    assert not gate.desk.allows(None, "export")
    assert not gate.desk.allows(ADA, "export")
    assert gate.desk.access(ADA).plans == ()


@pytest.mark.parametrize(
    ("status", "is_allowed"),
    [
        ("trialing", True),
        ("active", True),
        ("unpaid", False),
        ("paused", False),
        ("canceled", False),
        ("incomplete", False),
        ("incomplete_expired", False),
        ("of a later version", False),
    ],
)
def test_the_state_decides_whether_a_plan_counts(gate: Gate, status: str, is_allowed: bool) -> None:
    """What is paid for or on trial; nothing else, and nothing unheard of."""
    gate.has("pro", status)

    assert gate.desk.allows(ADA, "export") == is_allowed


@pytest.mark.parametrize(
    ("status", "is_on_hold"),
    [
        ("active", False),
        ("unpaid", True),
        ("paused", True),
        ("past_due", True),  # and nobody knows since when
        ("canceled", False),
        ("incomplete", False),
    ],
)
def test_what_a_payment_would_bring_back_is_on_hold(gate: Gate, status: str, is_on_hold: bool) -> None:
    """Whoever has the plan and does not get it is not told to buy it again."""
    gate.has("pro", status)

    access = gate.desk.access(ADA)

    assert access.is_on_hold("export") == access.is_on_hold("projects") == is_on_hold
    assert not access.is_on_hold("telephone")


def test_what_another_plan_allows_is_not_on_hold(gate: Gate) -> None:
    """It is there."""
    gate.has("pro", "unpaid")
    gate.has("starter")

    access = gate.desk.access(ADA)

    assert access.allows("projects")
    assert not access.is_on_hold("projects")
    assert access.is_on_hold("exports")


def test_a_cancelled_subscription_counts_until_it_ends(gate: Gate) -> None:
    """It is paid for."""
    gate.has("pro", cancels_at=gate.clock() + timedelta(days=9))

    assert gate.desk.allows(ADA, "pro")


@pytest.mark.parametrize(("days", "is_allowed"), [(0, True), (2.99, True), (3, False), (30, False)])
def test_while_a_payment_is_missing_there_are_days_of_grace(gate: Gate, days: float, is_allowed: bool) -> None:
    """As many as the plan gives; then it is shut until it is paid."""
    gate.has("pro", "past_due", past_due_since=gate.clock())

    gate.clock.advance(days=days)

    assert gate.desk.allows(ADA, "export") == is_allowed


@pytest.mark.parametrize(("days", "is_allowed"), [(2.99, True), (3, False)])
def test_grace_runs_out_on_stripes_clock_too(gate: Gate, days: float, is_allowed: bool) -> None:
    """A sandbox whose clock is pushed is ahead of the app; what it told last says by how much."""
    since = gate.clock() + timedelta(days=31)
    gate.has("pro", "past_due", past_due_since=since, heard_at=since + timedelta(days=days))

    assert gate.desk.allows(ADA, "export") == is_allowed


@pytest.mark.parametrize(
    ("plans", "code", "limit"),
    [
        ([], "projects", 0),
        (["starter"], "projects", 3),
        (["starter", "support"], "projects", 3),
        (["starter", "pro"], "projects", 10),
        (["pro"], "exports", None),
        (["starter"], "exports", 0),
    ],
)
def test_a_limit_is_the_most_one_of_the_plans_gives(gate: Gate, plans: list[str], code: str, limit: int | None) -> None:
    """A plan that does not speak of something gives none of it."""
    for plan in plans:
        gate.has(plan)

    assert gate.desk.access(ADA).limit(code) == limit


@pytest.mark.parametrize(("used", "is_allowed"), [(0, True), (2, True), (3, False), (4, False)])
def test_a_limit_is_open_until_it_is_used_up(gate: Gate, used: int, is_allowed: bool) -> None:
    """The app counts; the plan says how far."""
    gate.has("starter")

    assert gate.desk.allows(ADA, "projects", used=used) == is_allowed
    assert not gate.desk.allows(ADA, "exports", used=used)


def test_a_misspelt_gate_is_found_at_the_first_call(gate: Gate) -> None:
    """It would be shut for everybody, and nobody would know why."""
    with pytest.raises(UnknownFeature, match=r"allows 'exprot'\. It knows: export, exports, pro, projects, starter"):
        gate.desk.allows(ADA, "exprot")


def test_a_gate_is_one_query(gate: Gate) -> None:
    """However much somebody may do."""
    gate.has("pro")
    gate.has("support")
    gate.desk.open()
    asked: list[str] = []
    event.listen(gate.desk.store.engine, "before_cursor_execute", lambda *call: asked.append(call[2]))

    assert gate.desk.access(ADA).allows("telephone")

    assert len(asked) == 1
    assert "user_id" in asked[0]


def test_a_gate_finds_its_rows_by_an_index(gate: Gate) -> None:
    """However many customers there are, and whichever database."""
    gate.desk.open()
    table = gate.desk.store.tables.subscriptions
    row = {"plan": "pro", "status": "active", "slot": "main", "seats": 1, "livemode": False}
    crowd = [{**row, "id": f"sub_{each}", "user_id": f"{each}", "created_at": gate.clock()} for each in range(3_000)]
    asked: list[tuple[str, Any]] = []
    event.listen(gate.desk.store.engine, "before_cursor_execute", lambda *call: asked.append((call[2], call[3])))
    with gate.desk.store.write() as connection:
        connection.execute(table.insert(), crowd)
        connection.exec_driver_sql("ANALYZE")

    assert gate.desk.allows(User(id="2000"), "export")

    explain = "EXPLAIN" if gate.desk.store.is_postgresql else "EXPLAIN QUERY PLAN"
    statement, parameters = asked[-1]
    with gate.desk.store.read() as connection:
        plan = str(connection.exec_driver_sql(f"{explain} {statement}", parameters).all())
    assert "subscriptions_user_id" in plan
    assert "Seq Scan" not in plan
    assert "SCAN subscriptions" not in plan


def test_a_gate_can_be_awaited(gate: Gate) -> None:
    """From a coroutine, in a thread."""
    gate.has("pro")

    assert asyncio.run(gate.desk.aio.allows(ADA, "export"))
    assert asyncio.run(gate.desk.aio.access(ADA)).limit("projects") == 10
