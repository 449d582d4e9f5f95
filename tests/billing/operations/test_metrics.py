"""Metrics: what an operator's graphs are made of."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from paydesk import StripeEvent
from paydesk.billing.catalog import Catalog
from paydesk.billing.desk import Paydesk
from paydesk.billing.inbox.retry import ATTEMPTS_MAX
from paydesk.billing.settings import Settings
from paydesk.errors import ConfigurationError, SignatureRefused
from tests.billing.till import CATALOG, Till
from tests.cli import ENVIRONMENT
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    import stripe

    from tests.billing.conftest import Clock
    from tests.billing.wire import Wire

TOKEN = "a-token-of-this-shop"


def samples(text: bytes) -> dict[str, float]:
    """Every sample by its name and labels, as Prometheus's own parser reads them; buckets left out."""
    return {
        f"{one.name}{{{','.join(f'{name}={value}' for name, value in sorted(one.labels.items()))}}}": one.value
        for family in text_string_to_metric_families(text.decode())
        for one in family.samples
        if not one.name.endswith(("_bucket", "_created"))
    }


@pytest.fixture
def measured_till(database_url: str, wire: Wire, key: str, clock: Clock, client: stripe.StripeClient) -> Till:
    till = Till(database_url, wire, key, clock, secrets={"PAYDESK_METRICS_TOKEN": TOKEN})
    till.desk.catalog.push(client)
    return till


def told(number: int, clock: Clock, **subject: object) -> dict[str, object]:
    about = {"id": f"cus_{number}", "object": "customer", **subject}
    event = {"id": f"evt_{number}", "object": "event", "type": "customer.updated", "livemode": False}
    return {**event, "created": int(clock().timestamp()), "data": {"object": about}}


def test_what_waits_is_read_from_the_database(measured_till: Till, clock: Clock) -> None:
    """The same, whichever process is asked: lag, depth, and states."""
    for number in (1, 2):
        measured_till.receive(told(number, clock))
    clock.advance(seconds=90)

    found = samples(measured_till.desk.metrics())

    assert found["paydesk_database_up{}"] == 1
    assert found["paydesk_events_oldest_seconds{}"] == 90
    assert found["paydesk_events{state=received}"] == 2
    assert found["paydesk_events{state=dead}"] == 0
    assert (found["paydesk_lanes_waiting{}"], found["paydesk_lane_depth_max{}"]) == (2, 1)
    assert (found["paydesk_effects{state=waiting}"], found["paydesk_effects{state=dead}"]) == (0, 0)
    assert found["paydesk_attempts_open{}"] == 0
    measured_till.desk.close()


def test_what_is_done_is_counted_and_timed(measured_till: Till, clock: Clock, wire: Wire) -> None:
    """Webhooks by what became of them, calls to Stripe by method and outcome: each try for itself."""
    measured_till.receive(told(1, clock))
    measured_till.receive(told(1, clock))
    with pytest.raises(SignatureRefused):
        measured_till.desk.receive(b"{}", "t=1,v1=00")
    wire.answer("GET /v1/customers/cus_1", 429)
    wire.answer("GET /v1/customers/cus_1", 503)

    measured_till.desk.work()

    found = samples(measured_till.desk.metrics())
    received = {outcome: found[f"paydesk_receive_seconds_count{{outcome={outcome}}}"] for outcome in OUTCOMES}
    calls = {name: value for name, value in found.items() if name.startswith("paydesk_stripe_calls_total")}
    assert received == {"new": 1, "duplicate": 1, "refused": 1}
    assert calls == {
        "paydesk_stripe_calls_total{method=GET,outcome=rate_limited}": 1,
        "paydesk_stripe_calls_total{method=GET,outcome=broken}": 1,
        "paydesk_stripe_calls_total{method=GET,outcome=refused}": 1,
    }
    assert found["paydesk_stripe_call_seconds_count{method=GET}"] == 3
    measured_till.desk.close()


OUTCOMES = ("new", "duplicate", "refused")


def test_events_are_timed_from_their_arrival(measured_till: Till, clock: Clock, client: stripe.StripeClient) -> None:
    """How long whoever waits for a webhook's effect has waited, with whatever Stripe needed for its answer."""
    customer = client.v1.customers.create({"name": "Ada"})
    client.v1.customers.update(customer.id, {"name": "Grace"})
    measured_till.deliver(client, "customer.created", "customer.updated")
    clock.advance(seconds=40)

    measured_till.desk.work()

    found = samples(measured_till.desk.metrics())
    assert (found["paydesk_apply_lag_seconds_count{}"], found["paydesk_apply_lag_seconds_sum{}"]) == (2, 80)
    rounds = {name: value for name, value in found.items() if name.startswith("paydesk_apply_seconds_count")}
    assert sum(rounds.values()) >= 1
    assert [name for name in rounds if "failed" in name] == []
    measured_till.desk.close()


def test_handlers_are_timed_by_what_became_of_them(measured_till: Till, clock: Clock) -> None:
    """Done, failed for now, and given up: each a number of its own, by the handler's name."""
    tables = measured_till.desk.store.tables

    @measured_till.desk.on("customer.updated")
    def hear(event: StripeEvent) -> None:
        if event.id != "evt_1":
            raise RuntimeError

    for number in (1, 2, 3):
        measured_till.receive(told(number, clock))
    name = f"{hear.__module__}.{hear.__qualname__}"
    with measured_till.desk.store.write() as connection:
        connection.execute(tables.events.update().values(state="applied"))
        for number, attempts in ((1, 0), (2, 0), (3, ATTEMPTS_MAX - 1)):
            row = {"source": f"event:evt_{number}", "handler": name, "state": "waiting"}
            due = {"attempts": attempts, "next_at": clock(), "created_at": clock()}
            connection.execute(tables.effects.insert().values(**row, **due))
    measured_till.desk.work()

    found = samples(measured_till.desk.metrics())
    ran = {name.rpartition("outcome=")[2]: value for name, value in found.items() if "effect_seconds_count" in name}
    assert ran == {"done}": 1, "failed}": 1, "dead}": 1}
    measured_till.desk.close()


def desk_in(folder: Path, **secrets: str) -> Paydesk:
    needed = {"STRIPE_SECRET_KEY": "sk_test_a", "STRIPE_WEBHOOK_SECRET": "whsec_a", "BASE_URL": "https://a.example"}
    settings = Settings.read({**needed, "DATABASE_URL": f"sqlite:///{folder / 'app.db'}", **secrets})
    return Paydesk(settings, catalog=Catalog.parse(CATALOG))


def test_a_desk_serves_them_on_a_port_of_its_own(tmp_path: Path) -> None:
    """For workers, which serve nothing else; on loopback, unless told otherwise."""
    desk = desk_in(tmp_path)
    desk.open()

    served = desk.serve_metrics(0)

    assert served.url.startswith("http://127.0.0.1:")
    assert samples(httpx2.get(served.url, trust_env=False).content)["paydesk_database_up{}"] == 1
    served.end()
    desk.close()


def test_a_worker_says_where_they_are_or_why_not(tmp_path: Path) -> None:
    """A port that is taken is one sentence, before any work is begun."""
    (tmp_path / "shop.py").write_text("from paydesk import Paydesk\ndesk = Paydesk()\n", encoding="utf-8")
    (tmp_path / "paydesk.toml").write_text(CATALOG, encoding="utf-8")
    secrets = {"STRIPE_SECRET_KEY": "sk_test_a", "STRIPE_WEBHOOK_SECRET": "whsec_a", "BASE_URL": "https://a.example"}

    def work(port: int) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "paydesk", "worker", "shop:desk", "--metrics-port", str(port)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env={**ENVIRONMENT, **secrets, "STRIPE_API_BASE": "http://127.0.0.1:9"},
        )

    with work(0) as working:
        assert working.stdout is not None
        told = working.stdout.readline()
        port = urlsplit(told.split()[-1]).port or 0
        with work(port) as refused:
            _, complaint = refused.communicate(timeout=60)
        working.terminate()
        working.communicate(timeout=60)

    assert told.startswith("Metrics are on http://127.0.0.1:")
    assert (refused.returncode, complaint.count("\n")) == (1, 1)
    assert f"Metrics cannot be served on 127.0.0.1 port {port}" in complaint


def test_names_and_units_are_prometheus_s_own(measured_till: Till) -> None:
    """Seconds are called seconds, totals totals, and every metric is told of in a sentence."""
    families = list(text_string_to_metric_families(measured_till.desk.metrics().decode()))

    assert len(families) >= 12
    assert [one.name for one in families if not one.name.startswith("paydesk_") or not one.documentation] == []
    assert [one.name for one in families if one.type == "histogram" and not one.name.endswith("_seconds")] == []
    measured_till.desk.close()


def test_a_database_that_is_away_is_a_number_too(measured_till: Till) -> None:
    """What this process counted is still told, so that the graph shows when it began."""
    measured_till.desk.metrics()
    with measured_till.desk.store.write() as connection:
        measured_till.desk.store.tables.events.drop(connection)

    found = samples(measured_till.desk.metrics())

    assert found["paydesk_database_up{}"] == 0
    assert "paydesk_events_oldest_seconds{}" not in found
    measured_till.desk.close()


@pytest.mark.parametrize("token", ["short", "with a blank in it, and long", "über-geheim-und-lang"])
def test_a_token_that_could_be_guessed_is_refused(token: str) -> None:
    """At the start, as every other mistake."""
    with pytest.raises(ConfigurationError, match="PAYDESK_METRICS_TOKEN"):
        Settings.read({"PAYDESK_METRICS_TOKEN": token})


def test_who_does_not_ask_for_metrics_does_not_load_what_makes_them() -> None:
    """The client is an extra, and a desk works without it; so is OpenTelemetry."""
    ran = subprocess.run(
        [sys.executable, "-c", WITHOUT], capture_output=True, text=True, cwd=ROOT, env={"PYTHONPATH": "src"}
    )

    assert ran.stderr == ""
    assert ran.stdout.startswith("[]\n")
    assert "paydesk[metrics]" in ran.stdout


WITHOUT = """
import sys
from paydesk import StripeEvent
from paydesk.billing.catalog import Catalog
from paydesk.billing.desk import Paydesk
from paydesk.billing.settings import Settings
from paydesk.errors import ConfigurationError

secrets = {"STRIPE_SECRET_KEY": "sk_test_a", "STRIPE_WEBHOOK_SECRET": "whsec_a", "BASE_URL": "https://a.example"}
catalog = Catalog.parse("Ebook: $19 → STRIPE_PRICE_EBOOK")
desk = Paydesk(Settings.read(secrets), catalog=catalog)
print([name for name in sys.modules if name.startswith(("prometheus", "opentelemetry"))])
sys.modules["prometheus_client"] = None
try:
    desk.metrics()
except ConfigurationError as refusal:
    print(refusal)
"""
