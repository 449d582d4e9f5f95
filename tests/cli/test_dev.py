"""`paydesk dev -- CMD`: an app beside a local Stripe. The apps here are a few lines of Python."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli import ENVIRONMENT, run

SHOWS_SECRETS = """
import json, os
names = "STRIPE_SECRET_KEY STRIPE_WEBHOOK_SECRET STRIPE_API_BASE BASE_URL STRIPE_PRICE_PRO STRIPE_PUBLISHABLE_KEY OWN"
print(json.dumps({name: os.environ.get(name) for name in names.split()}))
"""

# Makes a customer at the Stripe it was told of, and waits for the webhook about it.
WAITS_FOR_ITS_WEBHOOK = """
import os, stripe
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import urlsplit

class App(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        event = stripe.Webhook.construct_event(
            body, self.headers["Stripe-Signature"], os.environ["STRIPE_WEBHOOK_SECRET"]
        )
        print(self.path, event.type, event.data.object["name"], flush=True)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *args):
        pass

server = HTTPServer(("127.0.0.1", urlsplit(os.environ["BASE_URL"]).port), App)
client = stripe.StripeClient(
    os.environ["STRIPE_SECRET_KEY"], base_addresses={"api": os.environ["STRIPE_API_BASE"]}
)
client.v1.customers.create({"name": "Ada"})
server.handle_request()
server.server_close()
"""

LISTS_PRICES = """
import os, stripe
client = stripe.StripeClient(
    os.environ["STRIPE_SECRET_KEY"], base_addresses={"api": os.environ["STRIPE_API_BASE"]}
)
for price in client.v1.prices.list().data:
    print(price.lookup_key, price.unit_amount, price.currency)
"""

TELLS_OF_SIGNALS = """
import signal, sys
signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(5))
signal.signal(signal.SIGINT, lambda number, frame: sys.exit(6))
print("ready", flush=True)
signal.pause()
"""


def command(app: str, *options: str) -> list[str]:
    return [sys.executable, "-m", "paydesk", "dev", "--stripe-port", "0", *options, "--", sys.executable, "-c", app]


def refused(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What stops before there is an app, or a local Stripe for it."""
    return run("dev", *arguments, folder=folder, environment=ENVIRONMENT)


def dev(
    app: str, folder: Path, *options: str, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """An app that ends by itself, run beside a local Stripe with its state in `folder`."""
    return subprocess.run(
        command(app, *options),
        capture_output=True,
        text=True,
        cwd=folder,
        env={**ENVIRONMENT, **(environment or {})},
        timeout=60,
    )


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def secrets_of(ended: subprocess.CompletedProcess[str]) -> dict[str, str | None]:
    assert ended.returncode == 0, ended.stderr
    secrets: dict[str, str | None] = json.loads(ended.stdout)
    return secrets


def test_the_app_starts_with_its_secrets(tmp_path: Path) -> None:
    """Those of the local Stripe; what belongs to a real account is kept from it, all else is its own."""
    environment = {
        "STRIPE_SECRET_KEY": "sk_live_real",
        "STRIPE_PUBLISHABLE_KEY": "pk_live_real",
        "STRIPE_PRICE_PRO": "price_real",
        "OWN": "kept",
    }

    secrets = secrets_of(dev(SHOWS_SECRETS, tmp_path, environment=environment))

    assert secrets["STRIPE_SECRET_KEY"] == "sk_test_your_shop"
    assert (secrets["STRIPE_WEBHOOK_SECRET"] or "").startswith("whsec_")
    assert (secrets["STRIPE_API_BASE"] or "").startswith("http://127.0.0.1:")
    assert secrets["BASE_URL"] == "http://127.0.0.1:8000"
    assert (secrets["STRIPE_PUBLISHABLE_KEY"], secrets["STRIPE_PRICE_PRO"], secrets["OWN"]) == (None, None, "kept")


def test_events_reach_the_app_signed(tmp_path: Path) -> None:
    """From the app's first call to its own webhook route, with nothing to set up; and one sees it happen."""
    url = f"http://127.0.0.1:{free_port()}"

    ended = dev(WAITS_FOR_ITS_WEBHOOK, tmp_path, "--url", url)

    assert ended.stdout == "/webhooks/stripe customer.created Ada\n", ended.stderr
    assert ended.returncode == 0
    assert f"Webhooks go to {url}/webhooks/stripe" in ended.stderr


def test_each_event_is_shown_as_it_lands(tmp_path: Path) -> None:
    """Its type, and what the app answered; --quiet leaves the lines away."""
    again = WAITS_FOR_ITS_WEBHOOK + "while client.v1.events.list().data[0].pending_webhooks: pass\n"

    shown = dev(again, tmp_path, "--url", f"http://127.0.0.1:{free_port()}")
    quiet = dev(again, tmp_path, "--quiet", "--url", f"http://127.0.0.1:{free_port()}")

    assert "customer.created → 200" in shown.stderr
    assert "→" not in quiet.stderr
    assert shown.stdout == quiet.stdout


def test_a_second_start_finds_everything_wired(tmp_path: Path) -> None:
    """The same endpoint with the same secret, kept where only its owner can read it."""
    first = secrets_of(dev(SHOWS_SECRETS, tmp_path))
    second = secrets_of(dev(SHOWS_SECRETS, tmp_path))

    kept = tmp_path / ".paydesk" / "webhook-endpoint.json"
    assert first["STRIPE_WEBHOOK_SECRET"] == second["STRIPE_WEBHOOK_SECRET"]
    assert kept.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / ".paydesk" / ".gitignore").read_text() == "*\n"


def test_an_app_that_moves_keeps_its_endpoint(tmp_path: Path) -> None:
    """Another port, the same secret; and nothing is sent to where the app was before."""
    first = secrets_of(dev(SHOWS_SECRETS, tmp_path, "--url", f"http://127.0.0.1:{free_port()}"))

    moved = dev(WAITS_FOR_ITS_WEBHOOK + SHOWS_SECRETS, tmp_path, "--url", f"http://127.0.0.1:{free_port()}")

    arrived, shown = moved.stdout.splitlines()
    assert arrived == "/webhooks/stripe customer.created Ada"
    assert json.loads(shown)["STRIPE_WEBHOOK_SECRET"] == first["STRIPE_WEBHOOK_SECRET"]
    assert "ConnectError" not in moved.stderr


def test_a_lost_secret_is_rolled(tmp_path: Path) -> None:
    """However it was lost: the endpoint stays, only its secret is new, and events signed with it arrive."""
    url = f"http://127.0.0.1:{free_port()}"
    counts = WAITS_FOR_ITS_WEBHOOK + "print(len(client.v1.webhook_endpoints.list().data))" + SHOWS_SECRETS
    secrets = [secrets_of(dev(SHOWS_SECRETS, tmp_path, "--url", url))["STRIPE_WEBHOOK_SECRET"]]

    for damage in ("", "{", '{"id": "we_other", "url": "", "secret": ""}'):
        (tmp_path / ".paydesk" / "webhook-endpoint.json").write_text(damage)
        ended = dev(counts, tmp_path, "--url", url)
        arrived, endpoints, shown = ended.stdout.splitlines()
        secrets.append(json.loads(shown)["STRIPE_WEBHOOK_SECRET"])

        assert (arrived, endpoints) == ("/webhooks/stripe customer.created Ada", "1"), ended.stderr

    assert len(set(secrets)) == 4


def test_the_catalog_is_pushed(tmp_path: Path) -> None:
    """What paydesk.toml says is for sale when the app starts."""
    (tmp_path / "paydesk.toml").write_text('[products.ebook]\nname = "Ebook"\nprice = "$19"\n')

    ended = dev(LISTS_PRICES, tmp_path)

    assert ended.stdout == "ebook 1900 usd\n", ended.stderr


@pytest.mark.parametrize("is_option", [True, False])
def test_a_catalog_of_another_name_is_the_apps_too(tmp_path: Path, is_option: bool) -> None:
    """What is pushed is what the app reads, whether an option or its Secret names it."""
    (tmp_path / "shop.toml").write_text('[products.ebook]\nname = "Ebook"\nprice = "$19"\n')
    shows_both = LISTS_PRICES + "print(os.environ['PAYDESK_CATALOG'])\n"
    options = ("--catalog", "shop.toml") if is_option else ()

    ended = dev(shows_both, tmp_path, *options, environment={} if is_option else {"PAYDESK_CATALOG": "shop.toml"})

    assert ended.stdout == "ebook 1900 usd\nshop.toml\n", ended.stderr


def test_a_catalog_that_is_wrong_stops_it(tmp_path: Path) -> None:
    """With the line and the reason, before the app starts."""
    (tmp_path / "paydesk.toml").write_text('[products.ebook]\nname = "Ebook"\nprice = "a lot"\n')

    ended = refused(tmp_path, "--stripe-port", "0", "--", sys.executable)

    assert (ended.returncode, ended.stdout) == (1, "")
    assert "paydesk.toml" in ended.stderr
    assert "a lot" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_apps_exit_code_is_ours(tmp_path: Path) -> None:
    """Also when a signal ended it."""
    assert dev("raise SystemExit(7)", tmp_path).returncode == 7
    assert dev("import os; os.kill(os.getpid(), 9)", tmp_path).returncode == 128 + 9


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 5), (signal.SIGINT, 6)])
def test_signals_are_passed_on(tmp_path: Path, number: int, code: int) -> None:
    """The app decides how it ends; then we end, and nothing of us is left."""
    running = subprocess.Popen(
        command(TELLS_OF_SIGNALS),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=ENVIRONMENT,
    )
    assert running.stdout is not None
    assert running.stdout.readline() == "ready\n"

    running.send_signal(number)
    _, shown = running.communicate(timeout=30)

    assert running.returncode == code, shown
    assert "Traceback" not in shown


def test_no_command_is_a_question(tmp_path: Path) -> None:
    """With the answer beside it."""
    ended = refused(tmp_path)

    assert ended.returncode == 2
    assert "paydesk dev -- uvicorn app:app" in ended.stderr


def test_a_command_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    """127, as shells say it; and 126 for a file that may not be run."""
    missing = subprocess.run(
        [sys.executable, "-m", "paydesk", "dev", "--stripe-port", "0", "--", "uvicron", "app:app"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=ENVIRONMENT,
    )
    broken = tmp_path / "broken"
    broken.write_bytes(b"\x7fELF nonsense")
    broken.chmod(0o755)
    unrunnable = subprocess.run(
        [sys.executable, "-m", "paydesk", "dev", "--stripe-port", "0", "--", str(broken)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=ENVIRONMENT,
    )

    assert missing.returncode == 127
    assert "uvicron: there is no such command" in missing.stderr
    assert unrunnable.returncode == 126
    assert "Traceback" not in unrunnable.stderr


def test_a_taken_port_names_its_option(tmp_path: Path) -> None:
    """One line, before anything is started."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = refused(tmp_path, "--stripe-port", str(taken.getsockname()[1]), "--", sys.executable)

    assert ended.returncode == 1
    assert "--stripe-port" in ended.stderr
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "ftp://127.0.0.1", "https://shop.example", "http://["])
def test_an_app_that_is_elsewhere_is_refused(tmp_path: Path, url: str) -> None:
    """Events do not leave this machine: an app out there would wait for them in vain."""
    ended = refused(tmp_path, "--url", url, "--", "app")

    assert ended.returncode == 2
    assert "--url" in ended.stderr
    assert "Traceback" not in ended.stderr
