"""Events received and applied, beside dj-stripe: the same signed events, the same PostgreSQL, the same Stripe.

Each side has two processes: two workers of gunicorn for dj-stripe, an app and a `paydesk worker` for us. Rows exist
already (warm), and events count once every row says what Stripe says.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass

from bench import webhook_load
from bench.sides import SECRET, Side, ours, theirs
from bench.webhook_load import Load
from tests import postgres

ROUNDS = 3
CONCURRENCY = 8
LATENCY_SECONDS = 0.15
PATHS = {
    "customer.subscription.updated": "/v1/subscriptions",
    "invoice.paid": "/v1/invoices",
    "payment_intent.succeeded": "/v1/payment_intents",
}

# What comes evenly comes further apart than Stripe's stamps are unsure: so much later are the events of each round.
STEP_SECONDS = 10

# What dj-stripe is served by: the first where Stripe answers at once, the second where it takes its time.
SYNC = {"workers": 2, "worker_class": "sync"}
THREADED = {"workers": 2, "threads": 4, "worker_class": "gthread"}


@dataclass(frozen=True)
class Measured:
    """One load, on one side."""

    events: int
    seconds: float
    received_per_second: float
    calls: int
    p50_ms: float
    p99_ms: float
    cpu_ms: float
    database_cpu_ms: float

    @property
    def per_second(self) -> float:
        return self.events / self.seconds

    @property
    def whole_cpu_ms(self) -> float:
        """Processor time for one event, the database's included."""
        return self.cpu_ms + self.database_cpu_ms


class Course:
    """The loads that one side is given, each about objects that are a little further than in the one before."""

    def __init__(self, side: Side, *, livemode: bool) -> None:
        self.side = side
        self._livemode = livemode
        self._events = 0
        self._revision = 0
        self._created = int(time.time()) - 500

    def run(
        self, objects: int, *, kinds: Sequence[str] = tuple(PATHS), revisions: int = 1, latency_seconds: float = 0
    ) -> Measured:
        """Tell of so many objects of each kind, of each as often as it has new revisions; until all is applied."""
        loads = [self._load(nth, kind, objects, revisions) for nth, kind in enumerate(kinds)]
        made = [body for one_of_each in zip(*map(webhook_load.bodies, loads), strict=True) for body in one_of_each]
        self._events += len(made)
        self._revision += revisions
        self._created += STEP_SECONDS
        side = self.side
        side.stripe_is(revision=self._revision, latency_seconds=latency_seconds, livemode=self._livemode)
        before, began = side.cpu_seconds(), time.perf_counter()
        outcome = webhook_load.send(loads[0], made)
        side.wait_until_finished(self._events)
        seconds = time.perf_counter() - began
        cpu, database_cpu = (after - then for after, then in zip(side.cpu_seconds(), before, strict=True))
        if outcome.ok != len(made):
            raise RuntimeError(f"{side.name} refused some: {outcome.statuses}")
        for kind in kinds:
            if behind := side.behind(PATHS[kind], objects, self._revision):
                raise RuntimeError(f"{side.name} left {behind} of {objects} rows behind after {kind}")
        return Measured(
            events=len(made),
            seconds=seconds,
            received_per_second=outcome.events_per_second,
            calls=sum(side.calls().values()),
            p50_ms=outcome.p50_ms,
            p99_ms=outcome.p99_ms,
            cpu_ms=cpu * 1000 / len(made),
            database_cpu_ms=database_cpu * 1000 / len(made),
        )

    def _load(self, nth: int, kind: str, objects: int, revisions: int) -> Load:
        return Load(
            self.side.url,
            SECRET,
            count=objects * revisions,
            concurrency=CONCURRENCY,
            kind=kind,
            objects=objects,
            start=self._events + nth * objects * revisions,
            revision=self._revision + 1,
            created=self._created,
            livemode=self._livemode,
        )


@dataclass(frozen=True)
class Case:
    """What both sides are given: so many objects here, so many there, which is slower."""

    name: str
    kinds: tuple[str, ...]
    ours: int
    theirs: int
    revisions: int = 1
    latency_seconds: float = 0
    rounds: int = ROUNDS


TOLD = ("customer.subscription.updated", "invoice.paid")
PAID = ("payment_intent.succeeded",)
CASES = (
    Case("even", TOLD, ours=500, theirs=40),
    Case("even, Stripe takes 150 ms", TOLD, ours=500, theirs=20, latency_seconds=LATENCY_SECONDS),
    Case("payments", PAID, ours=100, theirs=40),
    Case("a hundred about one, 150 ms", TOLD[:1], 1, 1, revisions=100, latency_seconds=LATENCY_SECONDS, rounds=1),
)


def main() -> None:
    """Alternate between the sides and print the medians, and the ratios of medians."""
    print(
        f"\nReceived and applied beside dj-stripe, PostgreSQL, live mode ({CONCURRENCY} connections, {ROUNDS} rounds)"
    )
    print("In live mode a payload is believed where it is provably newer. Payments are always read.")
    print(f"{'':40}{'events /s':>11}{'calls':>8}{'cpu ms':>8}{'p50 ms':>8}{'p99 ms':>8}")
    with postgres.launch(durable=True) as server, ExitStack() as stack:

        def side(of: AbstractContextManager[Side]) -> Course:
            return Course(stack.enter_context(of), livemode=True)

        mine = side(ours(server.url(server.create()), livemode=True))
        sync, threaded = (
            side(theirs("dj-stripe", server.url(server.create()), workers, livemode=True))
            for workers in (SYNC, THREADED)
        )
        for course, objects in ((mine, 500), (sync, 40), (threaded, 40)):
            course.run(objects)  # from here on the rows exist
        for case in CASES:
            _compare(case, mine, threaded if case.latency_seconds else sync)


def _compare(case: Case, mine: Course, its: Course) -> None:
    measured: dict[str, list[Measured]] = {"paydesk": [], "dj-stripe": []}
    for _ in range(case.rounds):
        for course, objects in ((mine, case.ours), (its, case.theirs)):
            took = course.run(objects, kinds=case.kinds, revisions=case.revisions, latency_seconds=case.latency_seconds)
            measured[course.side.name].append(took)
    for name, rounds in measured.items():
        print(
            f"{case.name}, {name}".ljust(42)
            + f"{_median(each.per_second for each in rounds):9.0f}"
            + f"{_median(each.calls / each.events for each in rounds):8.2f}"
            + f"{_median(each.whole_cpu_ms for each in rounds):8.2f}"
            + f"{_median(each.p50_ms for each in rounds):8.1f}{_median(each.p99_ms for each in rounds):8.1f}"
        )
    speed, cpu = (
        [_median(getattr(each, what) for each in rounds) for rounds in measured.values()]
        for what in ("per_second", "whole_cpu_ms")
    )
    print(
        f"{'':42}{speed[0] / speed[1]:8.1f} times its rate, {cpu[1] / cpu[0]:.1f} times its events per processor second"
    )


def _median(values: Iterable[float]) -> float:
    return statistics.median(values)


if __name__ == "__main__":
    main()
