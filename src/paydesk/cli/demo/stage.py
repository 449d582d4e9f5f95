"""The stage of the demo: a shop and a local Stripe on this machine, wired to each other, gone at the end."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
import httpx2

import paydesk
from paydesk import Catalog, Paydesk, Settings
from paydesk.cli import stripe as local
from paydesk.cli import wiring
from paydesk.emulator import server

if TYPE_CHECKING:
    import socket

    import stripe

    from paydesk.emulator.deliveries.sender import Attempted

START_SECONDS_MAX = 60.0
PACKAGES = Path(paydesk.__file__).parents[1]


@dataclass(frozen=True)
class Stage:
    """Where everything is. `desk` sees the shop's own database; its worker runs in the shop, not here."""

    shop_url: str
    stripe_url: str
    key: str
    client: stripe.StripeClient
    desk: Paydesk


def shop_folder() -> Path:
    """The shop's code: beside this package in an installation, under examples/ in a clone."""
    installed = Path(__file__).parent / "flarex_shop"
    return installed if installed.exists() else PACKAGES.parent / "examples" / "flarex_shop"


@contextmanager
def set_up(
    folder: Path,
    *,
    shop_port: int,
    stripe_port: int,
    database_url: str | None = None,
    watch: Callable[[Attempted], None] | None = None,
) -> Iterator[Stage]:
    """Start both, wire them, and stop them at the end of the block. `folder` holds all they write.

    Port 0 picks a free one. `database_url` is the shop's; without it, a SQLite file in the folder.
    """
    shop_socket = local.listen(shop_port, option="--shop-port")
    stripe_socket = local.listen(stripe_port, option="--stripe-port")
    shop_url, stripe_url = server.url_of(shop_socket), server.url_of(stripe_socket)
    ready = server.build(stripe_socket, folder / "stripe", watch=watch)
    with server.in_thread(ready, stripe_socket):
        client = wiring.client(stripe_url)
        catalog = Catalog.load(shop_folder() / "paydesk.toml")
        catalog.push(client)
        endpoint = wiring.endpoint(stripe_url, shop_url, folder)
        secrets = wiring.secrets(stripe_url, shop_url, endpoint.secret, os.environ)
        secrets["DATABASE_URL"] = database_url or f"sqlite:///{folder / 'shop.db'}"
        desk = Paydesk(Settings.read(secrets), catalog=catalog)
        with _shop(shop_socket, secrets, folder / "shop.log"):
            yield Stage(shop_url, stripe_url, local.KEY, client, desk)
        desk.close()


@contextmanager
def _shop(listening: socket.socket, secrets: dict[str, str], log: Path) -> Iterator[None]:
    """The shop in a process of its own, as its author would start it; it is open when this begins."""
    command = [sys.executable, "-m", "uvicorn", "app:app", "--fd", str(listening.fileno()), "--no-access-log"]
    # It runs the very paydesk that plays it, installed or not.
    secrets["PYTHONPATH"] = os.pathsep.join(filter(None, (str(PACKAGES), secrets.get("PYTHONPATH"))))
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=shop_folder(), env=secrets, pass_fds=(listening.fileno(),), stdout=output, stderr=output
        )
    try:
        _wait_until_open(server.url_of(listening), process, log)
        listening.close()
        yield
    finally:
        process.terminate()
        process.wait()


def _wait_until_open(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_SECONDS_MAX
    while process.poll() is None and time.monotonic() < until:
        try:
            httpx2.get(url, timeout=1.0).raise_for_status()
        except httpx2.HTTPError:
            time.sleep(0.05)
        else:
            return
    said = log.read_text(encoding="utf-8", errors="replace")
    raise click.ClickException(f"The shop did not open. This is what it said:\n{said}")
