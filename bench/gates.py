"""What a gate costs on SQLite, against a bare select of the same rows: by SQLAlchemy Core, and by sqlite3 itself.

One customer after the other is asked for, of ten thousand, in one thread and file. The ratios hold on any machine; the
goal of 200 µs is held against processor time, since a busy machine's clock says little.
"""

from __future__ import annotations

import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import bindparam, select

from paydesk import Catalog, Paydesk, Settings, User

ROUNDS = 7
CALLS = 3_000
CUSTOMERS = 10_000
GOAL_MICROSECONDS = 200
CATALOG = '[plans.pro]\nname = "Pro"\nprice = "$29/mo"\nfeatures = ["export"]\nlimits = { projects = 10 }\n'


def main() -> None:
    """Alternate between the three, and print the medians."""
    print(f"\nOne gate, of {CUSTOMERS} customers on SQLite ({ROUNDS} rounds of {CALLS} calls)")
    print(f"{'':36}{'µs':>8}{'of Core':>10}{'of sqlite3':>12}{'goal µs':>10}")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "gates.db"
        desk = _desk(file)
        raw = sqlite3.connect(file)
        gates: dict[str, Callable[[str], object]] = {
            "desk.allows(user, feature)": lambda user: desk.allows(User(user), "export"),
            "desk.allows(user, limit, used=3)": lambda user: desk.allows(User(user), "projects", used=3),
            "SQLAlchemy Core, the bare select": _core(desk),
            "sqlite3, the bare select": _raw(raw),
        }
        taken: dict[str, list[float]] = {name: [] for name in gates}
        for _ in range(ROUNDS):
            for name, ask in gates.items():
                taken[name].append(_microseconds(ask))
        medians = {name: statistics.median(values) for name, values in taken.items()}
        *_, core, floor = medians.values()
        for name, median in medians.items():
            goal = f"{GOAL_MICROSECONDS:10}" if name.startswith("desk") else ""
            print(f"{name:36}{median:8.1f}{median / core:10.2f}{median / floor:12.2f}{goal}")
        raw.close()
        desk.close()


def _desk(file: Path) -> Paydesk:
    settings = Settings(
        stripe_secret_key=SecretStr("sk_test_gates"),
        stripe_webhook_secrets=(SecretStr("whsec_gates"),),
        base_url="http://127.0.0.1",
        database_url=SecretStr(f"sqlite:///{file}"),
    )
    desk = Paydesk(settings, catalog=Catalog.parse(CATALOG))
    desk.open()
    row = {"plan": "pro", "status": "active", "slot": "main", "seats": 1, "livemode": False}
    times = {"created_at": datetime.now(UTC)}
    crowd = [{**row, **times, "id": f"sub_{each}", "user_id": f"{each}"} for each in range(CUSTOMERS)]
    with desk.store.write() as connection:
        connection.execute(desk.store.tables.subscriptions.insert(), crowd)
    return desk


def _core(desk: Paydesk) -> Callable[[str], object]:
    table = desk.store.tables.subscriptions
    query = select(table.c.plan, table.c.status).where(table.c.user_id == bindparam("user"))

    def ask(user: str) -> object:
        with desk.store.engine.connect() as connection:
            return connection.execute(query, {"user": user}).all()

    return ask


def _raw(connection: sqlite3.Connection) -> Callable[[str], object]:
    query = "SELECT plan, status FROM subscriptions WHERE user_id = ?"
    return lambda user: connection.execute(query, (user,)).fetchall()


def _microseconds(ask: Callable[[str], object]) -> float:
    # This thread's processor time: what a clock would say if nobody else used the machine. Nothing is waited for.
    started = time.thread_time()
    for number in range(CALLS):
        ask(str(number * 7 % CUSTOMERS))
    return (time.thread_time() - started) / CALLS * 1_000_000


if __name__ == "__main__":
    main()
