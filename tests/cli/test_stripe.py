"""`paydesk stripe`: the local Stripe as a command."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest
import stripe

from tests import cli
from tests.conftest import ROOT, LocalStripe
from tests.emulator.controls import Controls
from tests.emulator.receiver import Receiver

KEY = "sk_test_cli"


def run(*arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """The command, when it is expected to end by itself."""
    return cli.run("stripe", *arguments, folder=folder, environment=cli.ENVIRONMENT)


def test_a_taken_port_is_said_in_one_line() -> None:
    """Who may hold it, and what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        ended = run("--memory", "--port", str(port))

    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.count("\n") == 1
    assert f"Port {port} is taken" in ended.stderr
    assert "--port" in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--port", "70000"), "ports go from 0 to 65535"),
        (("--port", "0", "--host", "192.0.2.1"), "Cannot listen on 192.0.2.1"),
        (("--port", "0", "--memory", "--data", "somewhere"), "choose one of them"),
        (("--port", "0", "--data", "/proc/nowhere"), "cannot keep its state in /proc/nowhere"),
        (("--port", "0", "--memory", "--fault", "drop"), "drop=0.1"),
        (("--port", "0", "--memory", "--fault", "gremlins=0.1"), "must be one of error, lock_timeout, slow"),
        (("--port", "0", "--memory", "--fault", "drop=5"), "rate must be a number between 0 and 1"),
        (("--port", "0", "--memory", "--fault", "drop=often"), "rate must be a number between 0 and 1"),
        (("--port", "0", "--memory", "--fault", "error=0.1,status=200"), "status must be between 400 and 599"),
        (("--port", "0", "--memory", "--fault", "drop=0.1,path=/v1/refunds"), "unknown parameter: path"),
        (("--port", "0", "--memory", "--fault", "drop=0.1,event"), "Write options as name=value"),
    ],
)
def test_what_cannot_work_is_said_plainly(arguments: tuple[str, ...], says: str, tmp_path: Path) -> None:
    """Never a traceback."""
    ended = run(*arguments, folder=tmp_path)

    assert ended.returncode in (1, 2)
    assert says in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_folder_belongs_to_one_server(tmp_path: Path) -> None:
    """Two would each believe their own clock; the second says who is in the way."""
    first = LocalStripe("--data", str(tmp_path))

    second = run("--port", "0", "--data", str(tmp_path))
    first.stop()

    assert second.returncode == 1
    assert "Another local Stripe keeps its state in" in second.stderr


def test_ctrl_c_ends_it_in_order() -> None:
    """No traceback, no complaint."""
    server = subprocess.Popen(
        [sys.executable, "-m", "paydesk", "stripe", "--port", "0", "--memory"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert server.stdout is not None
    url = server.stdout.readline().split()[-1]
    assert httpx2.get(f"{url}/_local/health", trust_env=False).status_code == 200

    server.send_signal(signal.SIGINT)
    assert server.stderr is not None
    with server.stdout, server.stderr:
        shown, complaint = server.stdout.read(), server.stderr.read()
    server.wait(timeout=30)

    assert (server.returncode, complaint) == (0, "")
    assert "sk_test_" in shown
    assert url in shown


def test_what_was_kept_is_there_again(tmp_path: Path) -> None:
    """The state outlives the server; with --memory it does not."""
    first = LocalStripe("--data", str(tmp_path / "state"))
    customer = first.client(KEY).v1.customers.create({"name": "Ada"})
    first.stop()

    second = LocalStripe("--data", str(tmp_path / "state"))
    found = second.client(KEY).v1.customers.retrieve(customer.id)
    second.stop()

    assert found.name == "Ada"


def test_a_seed_repeats_the_ids() -> None:
    """The same calls on the same seed are given the same ids: a story can be told twice."""

    def ids() -> list[str]:
        server = LocalStripe("--memory", "--seed", "ada")
        client = server.client(KEY)
        made = [client.v1.customers.create().id, client.v1.events.list().data[0].id]
        server.stop()
        return made

    assert ids() == ids()


def test_strict_refuses_what_has_no_effect() -> None:
    """Without it, the parameter is kept, and named in a header."""
    strict, lenient = LocalStripe("--memory", "--strict"), LocalStripe("--memory")
    given: stripe.params.CustomerCreateParams = {"tax": {"ip_address": "203.0.113.7"}}

    with pytest.raises(stripe.InvalidRequestError, match="strict") as refusal:
        strict.client(KEY).v1.customers.create(given)
    customer = lenient.client(KEY).v1.customers.create(given)
    strict.stop()
    lenient.stop()

    assert refusal.value.http_status == 400
    assert customer.last_response is not None
    assert customer.last_response.headers["Paydesk-No-Effect"] == "tax.ip_address"


def test_rate_limits_are_stripes_when_switched_on() -> None:
    """More than 25 requests in a second of test mode: 429, in Stripe's words."""
    server = LocalStripe("--memory", "--rate-limits")
    client = server.client(KEY)

    def ask_on() -> None:
        for _ in range(500):
            client.v1.customers.list()

    with pytest.raises(stripe.RateLimitError, match="rate limit exceeded") as refusal:
        ask_on()
    server.stop()

    assert refusal.value.headers is not None
    assert refusal.value.headers["Stripe-Rate-Limited-Reason"] in ("global-rate", "endpoint-rate")


def test_deliver_anywhere_delivers_to_other_names(receiver: Receiver) -> None:
    """`127.1` is a name only the resolver understands: it stands for any host that is not plainly this machine."""
    here, anywhere = LocalStripe("--memory"), LocalStripe("--memory", "--deliver-anywhere")
    states = {}
    for name, server in {"here": here, "anywhere": anywhere}.items():
        client, controls = server.client(KEY), Controls(server.url, KEY)
        client.v1.webhook_endpoints.create({"url": f"http://127.1:{receiver.port}/{name}", "enabled_events": ["*"]})
        client.v1.customers.create()
        controls.settle()
        states[name] = controls.deliveries(client.v1.events.list().data[0].id)[0]["state"]
        controls.close()
        server.stop()

    assert states == {"here": "refused", "anywhere": "delivered"}
    assert [received.path for received in receiver.received] == ["/anywhere"]
