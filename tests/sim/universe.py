"""A universe: a local Stripe, a few machines of one app, people, and a network, all moved by one seed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import stripe

from paydesk.billing.catalog import Catalog
from paydesk.billing.inbox.inbox import LANE_THREADS
from paydesk.billing.inbox.lanes import LEASE
from paydesk.billing.settings import Settings
from paydesk.emulator.deliveries.outbox import Outbox
from paydesk.emulator.kernel.kernel import Kernel, Options
from paydesk.emulator.kernel.store import Store
from paydesk.emulator.resources import RESOURCES
from paydesk.errors import AnotherIsAtIt
from tests.sim import times
from tests.sim.baton import Actor, Baton, Crash
from tests.sim.chance import SKEWS_SECONDS, Chance
from tests.sim.line import Line
from tests.sim.machine import AppProcess
from tests.sim.network import Network
from tests.sim.outside import Outside
from tests.sim.people import Person
from tests.sim.seller import Seller

BEGIN = 1_795_435_200
MACHINES = 2
THREADS = {"apply": LANE_THREADS}
NAMES = ("ada", "bob", "cy")
STEPS_MAX = 1_500
A_MONTH = 31 * 24 * 3600

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

    def __init__(self, seed: int, database_url: str) -> None:
        """`database_url` names an empty, migrated database of the app."""
        self.seed = seed
        self.chance = Chance(seed)
        random = self.chance.random
        # In live mode stamps are believed where they are far enough apart; those of test mode say nothing.
        self.is_live = random.random() < 0.5
        self.key = "sk_live_local_sim" if self.is_live else "sk_test_sim"
        # What never arrived is fetched by a sweep; or whoever runs the shop has Stripe send it again, by hand.
        self.is_swept = random.random() < 0.5
        self.is_calm = True
        self.now = float(BEGIN)
        self.history: list[str] = []
        # What handlers told the outside world.
        self.heard: set[str] = set()
        self.baton = Baton()
        self.kernel = Kernel(Store(None), RESOURCES, Options(seed=f"sim-{seed}"), now=lambda: self.now)
        self.outbox = Outbox()
        self.kernel.announce = self.outbox.announce
        self.line = Line(self)
        self.stripe = stripe.StripeClient(
            self.key, base_addresses={"api": "http://stripe.sim"}, max_network_retries=0, http_client=self.line
        )
        # Most shops had their catalog at Stripe before anybody listened.
        is_on_sale = random.random() < 0.8
        if is_on_sale:
            CATALOG.push(self.stripe)
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
                "DATABASE_URL": database_url,
                "PAYDESK_MIGRATE": "0",
            }
        )
        if not is_on_sale:
            CATALOG.push(self.stripe)
        self.network = Network(self)
        self.machines: list[AppProcess] = []
        self.outside = Outside(database_url)
        self._born = 0
        # For so many steps, what began last is done first.
        self._hurry = 0
        names = NAMES[: random.choice((1, 1, 2, 2, 3))]
        self.people = [
            Person(name, self, wishes=random.choice((1, 2, 3)), deeds=random.choice((4, 6, 9))) for name in names
        ]
        self.seller = Seller(self)

    # What everybody asks

    def moment(self) -> datetime:
        """The time, as a clock shows it that is right."""
        return datetime.fromtimestamp(self.now, UTC)

    def sleep(self, seconds: float) -> None:
        """Somebody waits; the world goes on meanwhile."""
        if self.baton.current() is None:
            return
        self.now += min(seconds, 1.0)
        self.baton.pause()

    def delay(self) -> None:
        """Whoever has the baton is kept for a while, often for longer than a lease; others go on."""
        actor, random = self.baton.current(), self.chance.random
        if actor is not None:
            actor.wakes_at = self.now + random.choice((1, 5, 20, 45, 100, 400))
            actor.sleeps_for = random.randrange(10, 120)
            # It hurts most where others are quick meanwhile, and its lease has run out.
            self._hurry = random.choice((0, 20, 40))
            self.now += random.choice((0, 0, 35)) if self._hurry else 0

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

    def maybe_fail(self, where: str) -> None:
        """A handler of the app may."""
        if self.strikes("handler_error", where):
            raise RuntimeError("The app's handler failed.")

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
        self.outside.close()
        self.kernel.store.close()

    def begin(self, name: str, work: Callable[[], object], machine: AppProcess | None) -> Actor:
        """Let something begin to happen."""
        return self.baton.start(name, work, machine)

    def any_machine(self) -> AppProcess | None:
        """A machine that is up, if one is."""
        up = [machine for machine in self.machines if not machine.is_dead]
        return self.chance.random.choice(up) if up else None

    def _stir(self) -> None:
        random, rates = self.chance.random, self.chance.rates
        left = random.randrange(50, 200)
        for _ in range(STEPS_MAX):
            self._bury()
            if all(person.is_content for person in self.people):
                # What they did has its consequences, and those are in danger too.
                left -= 1
                if left <= 0 and not self.baton.actors:
                    return
            self._hurry = max(0, self._hurry - 1)
            others = (0.0, 0.0, 0.0, 0.0, 0.0) if self._hurry else (6, 8, 1, 100 * rates.power, 100 * rates.clock_step)
            match random.choices(
                ("go on", "deliver", "work", "boot", "time", "person", "seller", "power", "clock"),
                (60, 14, 14, 3, *others),
            )[0]:
                case "go on" if awake := [one for one in self.baton.actors if self._is_awake(one)]:
                    self._move(awake[-1] if self._hurry else random.choice(awake))
                case "person":
                    random.choice(self.people).act()
                case "seller":
                    self.seller.act()
                case "deliver":
                    self.network.deliver_one()
                case "work" if (machine := self.any_machine()) is not None:
                    self._work(machine)
                case "time":
                    longest = A_MONTH if random.random() < 0.1 and self._is_quiet() else 1_500
                    self.now += random.choice((0.3, 2, 10, 40, 70, 200, longest))
                    self.kernel.agenda.play_due()
                case "power" if (machine := self.any_machine()) is not None:
                    self.note(f"!! {machine.name} loses power")
                    machine.is_dead = True
                case "clock" if (machine := self.any_machine()) is not None:
                    machine.skew = timedelta(seconds=random.choice(SKEWS_SECONDS))
                    self.note(f"!! the clock of {machine.name} is off by {machine.skew.total_seconds():.0f} s")
                case "boot" if len([one for one in self.machines if not one.is_dead]) < MACHINES:
                    self._boot()

    def _is_awake(self, actor: Actor) -> bool:
        """Enough time has passed, and enough has happened meanwhile."""
        actor.sleeps_for -= 1
        return actor.wakes_at <= self.now and actor.sleeps_for <= 0

    def _is_quiet(self) -> bool:
        """Nothing is under way for a month, and nobody is away so long that Stripe forgets our keys or its events."""
        is_under_way = bool(self.baton.actors) or self.outside.is_attempt_open()
        return not is_under_way and self.outside.are_known(self.network.swallowed)

    def _work(self, machine: AppProcess) -> None:
        """Let a worker begin with something it has to do; now and then with something that comes by the clock."""
        jobs = machine.jobs()
        if jobs and self.chance.random.random() < 0.9:
            name = self.chance.random.choice(sorted(jobs))
            job = jobs[name]
        else:
            name, job = self.chance.random.choice(machine.rounds())
        name = f"{machine.name} {name}"
        # As many threads as a worker has.
        if sum(actor.name == name for actor in self.baton.actors) < THREADS.get(name.split()[-1], 1):
            self.begin(name, _shrugged(job), machine)

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
        for machine in self.machines:
            machine.skew = timedelta(0)
        is_swept = not self.is_swept
        for _ in range(200):
            self.network.deliver_all()
            if not is_swept:
                is_swept = self._sweep()
            for machine in self.machines:
                if machine.jobs():
                    self._to_end(self.begin(f"{machine.name} drain", machine.desk._inbox.drain, machine))  # noqa: SLF001 - as above
            self.kernel.agenda.play_due()
            due = self._next_due()
            if due is None and is_swept:
                # Whoever died last held a lease until now.
                self.now += LEASE.total_seconds()
                return
            # A machine that died while its clock was fast keeps the sweep from others for minutes.
            self.now = max(self.now + (1 if is_swept else 10), due or 0)
        raise AssertionError("It never comes to rest.")

    def _sweep(self) -> bool:
        """Fetch what never arrived; whoever was at it and died keeps it for a while."""
        try:
            self.machines[0].desk.sync(tables=())
        except AnotherIsAtIt:
            return False
        return True

    def _to_end(self, actor: Actor) -> None:
        while not actor.is_over:
            self.baton.move(actor)

    def _next_due(self) -> float | None:
        """When the next thing that waits is due; None when nothing does."""
        known = [moment for moment in (self.network.next_due(), self.outside.next_due()) if moment is not None]
        return min(known) if known else None


def _shrugged(job: Callable[[], object]) -> Callable[[], object]:
    """A worker's thread goes on after any error; what matters is what is in the database then."""

    def run() -> object:
        try:
            return job()
        except Exception:
            return None

    return run
