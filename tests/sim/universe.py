"""A universe: a local Stripe, a few machines of one app, people, and a network, all moved by one seed."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import stripe
from sqlalchemy import select

from paydesk.billing.catalog import Catalog
from paydesk.billing.settings import Settings
from paydesk.billing.store.store import Store as AppStore
from paydesk.emulator.deliveries.outbox import Outbox
from paydesk.emulator.kernel.kernel import Kernel, Options
from paydesk.emulator.kernel.store import Store
from paydesk.emulator.resources import RESOURCES
from tests.sim import times
from tests.sim.baton import Actor, Baton, Crash
from tests.sim.chance import Chance
from tests.sim.line import Line
from tests.sim.machine import AppProcess
from tests.sim.network import Network
from tests.sim.people import Person

BEGIN = 1_795_435_200
MACHINES = 2
PEOPLE = 3
STEPS_MAX = 1_500
A_MONTH = 31 * 24 * 3600
# A database on memory: what is flushed to disk is not what is tested here.
FOLDER = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - a folder of our own is made in it

CATALOG = Catalog.parse(
    """
[products.ebook]
name = "The little book of webhooks"
price = "$19"

[products.mug]
name = "Mug"
price = "$12.50"
quantity_max = 6

[plans.starter]
name = "Starter"
price = "$9/mo"

[plans.pro]
name = "Pro"
price = "$29/mo"
seats_max = 9
"""
)


class Universe:
    """Everything there is, for one seed."""

    def __init__(self, seed: int, template: Path) -> None:
        """`template` is an empty, migrated database of the app."""
        self.seed = seed
        self.chance = Chance(seed)
        self.is_calm = True
        self.now = float(BEGIN)
        self.history: list[str] = []
        self.baton = Baton()
        self.kernel = Kernel(Store(None), RESOURCES, Options(seed=f"sim-{seed}"), now=lambda: self.now)
        self.outbox = Outbox()
        self.kernel.announce = self.outbox.announce
        self.key = "sk_test_sim"
        self.line = Line(self)
        self._folder = tempfile.TemporaryDirectory(dir=FOLDER, prefix="paydesk-sim-")
        database = Path(self._folder.name) / "app.db"
        shutil.copyfile(template, database)
        self.stripe = stripe.StripeClient(
            self.key, base_addresses={"api": "http://stripe.sim"}, max_network_retries=0, http_client=self.line
        )
        endpoint = self.stripe.v1.webhook_endpoints.create(
            {"url": "https://shop.sim/webhooks/stripe", "enabled_events": ["*"]}
        )
        self.secret = str(endpoint.secret)
        self.settings = Settings.read(
            {
                "STRIPE_SECRET_KEY": self.key,
                "STRIPE_WEBHOOK_SECRET": self.secret,
                "STRIPE_API_BASE": "http://stripe.sim",
                "BASE_URL": "https://shop.sim",
                "DATABASE_URL": f"sqlite:///{database}",
            }
        )
        CATALOG.push(self.stripe)
        self.network = Network(self)
        self.machines: list[AppProcess] = []
        # The app's database, seen from outside of all machines.
        self.settled = AppStore.open(f"sqlite:///{database}")
        self._born = 0
        self.people = [Person(name, self) for name in ("ada", "bob", "cy")[:PEOPLE]]

    # What everybody asks

    def moment(self) -> datetime:
        """The time, as the app's clock shows it."""
        return datetime.fromtimestamp(self.now, UTC)

    def sleep(self, seconds: float) -> None:
        """Somebody waits; the world goes on meanwhile."""
        if self.baton.current() is None:
            return
        self.now += min(seconds, 1.0)
        self.baton.pause()

    def delay(self) -> None:
        """Whoever has the baton is kept for a while; others go on."""
        actor = self.baton.current()
        if actor is not None:
            actor.wakes_at = self.now + self.chance.random.choice((1, 5, 20, 45, 100))

    def note(self, what: str) -> None:
        """Write a line of history."""
        actor = self.baton.current()
        self.history.append(f"{self.now - BEGIN:10.1f} {'' if actor is None else actor.name:24} {what}")

    def strikes(self, evil: str, where: str) -> bool:
        """Whether something bad happens here and now."""
        if self.is_calm or self.baton.current() is None or not self.chance.strikes(evil):
            return False
        self.note(f"!! {evil} at {where}")
        return True

    def maybe_crash(self, machine: AppProcess, where: str) -> None:
        """The power may go."""
        if self.strikes("crash", f"{machine.name}, {where}"):
            machine.is_dead = True
            raise Crash

    # The run

    def run(self) -> None:
        """Let it all happen, then let everything heal."""
        with times.of(self):
            for _ in range(MACHINES):
                self._boot()
            self.is_calm = False
            self._stir()
            self.note("-- everything heals")
            self.chance.calm_down()
            self._heal()

    def close(self) -> None:
        """Throw it all away."""
        for machine in self.machines:
            machine.close()
        self.settled.close()
        self.kernel.store.close()
        self._folder.cleanup()

    def begin(self, name: str, work: Callable[[], object], machine: AppProcess | None) -> Actor:
        """Let something begin to happen."""
        return self.baton.start(name, work, machine)

    def any_machine(self) -> AppProcess | None:
        """A machine that is up, if one is."""
        up = [machine for machine in self.machines if not machine.is_dead]
        return self.chance.random.choice(up) if up else None

    def _stir(self) -> None:
        random = self.chance.random
        wishes = [person.act for person in self.people]
        for _ in range(STEPS_MAX):
            self._bury()
            if all(person.is_content for person in self.people) and not self.baton.actors:
                return
            match random.choices(
                ("go on", "person", "deliver", "work", "time", "power", "boot"), (60, 8, 14, 14, 6, 0.4, 3)
            )[0]:
                case "go on" if awake := [one for one in self.baton.actors if one.wakes_at <= self.now]:
                    self._move(random.choice(awake))
                case "person":
                    random.choice(wishes)()
                case "deliver":
                    self.network.deliver_one()
                case "work" if (machine := self.any_machine()) is not None:
                    self._work(machine)
                case "time":
                    longest = A_MONTH if random.random() < 0.1 and self._is_quiet() else 4_000
                    self.now += random.choice((0.3, 2, 10, 40, 70, 200, longest))
                    self.kernel.agenda.play_due()
                case "power" if self.chance.rates.crash and (machine := self.any_machine()) is not None:
                    self.note(f"!! {machine.name} loses power")
                    machine.is_dead = True
                case "boot" if len([one for one in self.machines if not one.is_dead]) < MACHINES:
                    self._boot()

    def _is_quiet(self) -> bool:
        """Nothing is under way for a month, and no worker is away so long that Stripe forgets our keys."""
        tables = self.settled.tables
        with self.settled.read() as connection:
            is_open = connection.scalar(select(tables.attempts.c.key).where(tables.attempts.c.state == "open").limit(1))
        return is_open is None and not self.baton.actors

    def _work(self, machine: AppProcess) -> None:
        inbox = machine.desk._inbox  # noqa: SLF001 - the worker's jobs, one at a time
        jobs: list[tuple[str, Callable[[], object]]] = [
            ("apply", inbox.apply_due),
            ("apply", inbox.apply_due),
            ("effect", inbox.effects.run_due),
            ("effect", inbox.effects.run_due),
            ("finish", machine.desk._attempts.finish_stale),  # noqa: SLF001 - as above
        ]
        name, job = self.chance.random.choice(jobs)
        self.begin(f"{machine.name} {name}", _shrugged(job), machine)

    def _move(self, actor: Actor) -> None:
        self.now += 0.01
        self.baton.move(actor)

    def _boot(self) -> None:
        self._born += 1
        machine = AppProcess(f"machine {self._born}", self, self.settings, CATALOG)
        machine.desk._inbox.effects.register()  # noqa: SLF001 - as its worker does at the start
        self.machines.append(machine)

    def _bury(self) -> None:
        """What ran on a dead machine is over, at once."""
        for machine in [one for one in self.machines if one.is_dead]:
            for actor in [one for one in self.baton.actors if one.machine is machine]:
                while not actor.is_over:
                    self.baton.move(actor)
            machine.close()
            self.machines.remove(machine)

    def _heal(self) -> None:
        """Nothing fails any more: everything under way comes to its end, and everything that waits is done."""
        self._bury()
        while self.baton.actors:
            self._move(self.baton.actors[0])
            self._bury()
        while len(self.machines) < MACHINES:
            self._boot()
        self.is_calm = True
        for _ in range(200):
            self.network.deliver_all()
            for machine in self.machines:
                self._to_end(self.begin(f"{machine.name} drain", machine.desk._inbox.drain, machine))  # noqa: SLF001 - as above
            self.kernel.agenda.play_due()
            due = self._next_due()
            if due is None:
                return
            self.now = max(self.now + 1, due)
        raise AssertionError("It never comes to rest.")

    def _to_end(self, actor: Actor) -> None:
        while not actor.is_over:
            self.baton.move(actor)

    def _next_due(self) -> float | None:
        """When the next thing that waits is due; None when nothing does."""
        waiting = [self.network.next_due(), *self._desk_due()]
        known = [moment for moment in waiting if moment is not None]
        return min(known) if known else None

    def _desk_due(self) -> list[float | None]:
        tables = self.settled.tables
        with self.settled.read() as connection:
            events = connection.scalars(
                select(tables.events.c.next_at).where(tables.events.c.state.in_(("received", "parked")))
            ).all()
            effects = connection.scalars(
                select(tables.effects.c.next_at).where(tables.effects.c.state == "waiting")
            ).all()
            attempts = connection.scalars(
                select(tables.attempts.c.created_at).where(tables.attempts.c.state == "open")
            ).all()
        return [
            *(moment.timestamp() for moment in (*events, *effects)),
            *(moment.timestamp() + 61 for moment in attempts),
        ]


def _shrugged(job: Callable[[], object]) -> Callable[[], object]:
    """A worker's thread goes on after any error; what matters is what is in the database then."""

    def run() -> Any:
        try:
            return job()
        except Exception:
            return None

    return run
