"""Metrics, in Prometheus's words: how much waits, for how long, and how long everything takes.

What lies in the database is read when it is asked for, and is the same in every process. What is counted and timed is
this process's own, from its start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from paydesk.billing.log import get_logger
from paydesk.billing.store.engine import said_by

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prometheus_client.metrics_core import Metric

    from paydesk.billing.operations.backlog import Backlog
    from paydesk.billing.watch import Act, Watch

logger = get_logger(__name__)

# From a commit on a quick disk to the patience of whoever waits.
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


# From a worker that was waiting for it to one that was away for a night.
LAG_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0, 28800.0)


@dataclass(frozen=True)
class Served:
    """Where metrics are served, and what ends it."""

    url: str
    end: Callable[[], None]


class Metrics:
    """The metrics of one desk in this process."""

    def __init__(self, backlog: Backlog, watch: Watch) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(_Backlog(backlog))

        def timed(name: str, told: str, *labels: str, buckets: tuple[float, ...] = SECONDS) -> Histogram:
            return Histogram(f"paydesk_{name}_seconds", told, labels, registry=self.registry, buckets=buckets)

        self._receive = timed("receive", "Time to check a webhook and commit it.", "outcome")
        self._apply = timed("apply", "Time of a round of work on what waits.", "outcome")
        self._lag = timed("apply_lag", "Time from an event's arrival until it was applied.", buckets=LAG_SECONDS)
        self._effect = timed("effect", "Time a handler ran.", "handler", "outcome")
        self._call = timed("stripe_call", "Time until Stripe answered a try.", "method")
        self._calls = Counter(
            "paydesk_stripe_calls_total",
            "Tries to reach Stripe's API.",
            ("method", "outcome"),
            registry=self.registry,
        )
        watch.add(self._watch)

    def text(self) -> bytes:
        """All of it, as Prometheus scrapes it."""
        return generate_latest(self.registry)

    def serve(self, port: int, host: str) -> Served:
        """Serve it on a port of its own; 0 picks a free one. Raises OSError."""
        server, thread = start_http_server(port, host, self.registry)

        def end() -> None:
            server.shutdown()
            server.server_close()
            thread.join()

        shown = f"[{host}]" if ":" in host else host
        return Served(f"http://{shown}:{server.server_port}/metrics", end)

    def _watch(self, act: Act) -> Callable[[], None]:
        def note() -> None:
            match act.kind:
                case "receive":
                    self._receive.labels(act.outcome).observe(act.seconds)
                case "apply":
                    self._apply.labels(act.outcome).observe(act.seconds)
                    for lag in act.about.get("lags", ()):
                        self._lag.observe(lag)
                case "effect":
                    self._effect.labels(act.about["handler"], act.outcome).observe(act.seconds)
                case "call":
                    self._call.labels(act.about["method"]).observe(act.seconds)
                    self._calls.labels(act.about["method"], act.outcome).inc()

        return note


class _Backlog(Collector):
    """What waits, read at each scrape."""

    def __init__(self, backlog: Backlog) -> None:
        self._backlog = backlog

    def collect(self) -> Iterator[Metric]:
        try:
            waiting = self._backlog.waiting()
        except SQLAlchemyError as error:
            logger.warning("The metrics lack what the database would say: %s", said_by(error))
            yield _gauge("database_up", "Whether the database could be asked.", 0)
            return
        yield _gauge("database_up", "Whether the database could be asked.", 1)
        yield _gauge(
            "events_oldest_seconds",
            "How long the event that is due longest has been due.",
            waiting.events_oldest_seconds,
        )
        yield _by_state("events", "Events that are not applied, by state.", waiting.events)
        yield _gauge("lanes_waiting", "Lanes in which events wait.", waiting.lanes)
        yield _gauge("lane_depth_max", "Events that wait in the fullest lane.", waiting.lane_depth)
        yield _gauge(
            "effects_oldest_seconds",
            "How long the effect that is due longest has been due.",
            waiting.effects_oldest_seconds,
        )
        yield _by_state("effects", "Handlers' work that is not done, by state.", waiting.effects)
        yield _gauge("attempts_open", "Our own changes at Stripe not known to have ended.", waiting.attempts_open)

    def describe(self) -> Iterator[Metric]:
        """Nothing, so that the database is not asked before somebody scrapes."""
        return iter(())


def _gauge(name: str, told: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"paydesk_{name}", told, value=value)


def _by_state(name: str, told: str, counts: Mapping[str, int]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"paydesk_{name}", told, labels=["state"])
    for state, number in counts.items():
        family.add_metric([state], number)
    return family
