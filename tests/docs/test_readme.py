"""README.md: whoever pastes it has a shop that takes money."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx2
import uvicorn

from paydesk.cli.demo.person import Person
from tests.docs.blocks import ROOT, blocks
from tests.waiting import until

GOOD_CARD = "4242424242424242"


def environment() -> dict[str, str]:
    """Somebody's shell in which paydesk is installed: its commands are found, and output comes line by line."""
    commands = [Path(sys.executable).parent, Path(uvicorn.__file__).parents[1] / "bin"]
    path = os.pathsep.join([*map(str, commands), os.environ.get("PATH", "")])
    return os.environ | {"PATH": path, "PYTHONPATH": str(ROOT / "src"), "PYTHONUNBUFFERED": "1"}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def test_the_shop_of_the_readme_sells(tmp_path: Path) -> None:
    """Two files and one command: prices, a payment page, a handler that says what it delivers, a clean end."""
    (catalog,), (app,) = blocks("README.md", "toml"), blocks("README.md", "python")
    (tmp_path / "paydesk.toml").write_text(catalog, encoding="utf-8")
    (tmp_path / "app.py").write_text(app, encoding="utf-8")
    (command,) = (line for block in blocks("README.md", "sh") for line in block.splitlines() if " dev -- " in line)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    paydesk, dev, *run = command.split()
    assert (paydesk, dev) == ("paydesk", "dev")
    options = ["--url", url, "--stripe-port", "0", "--data", str(tmp_path / "stripe")]
    shop = subprocess.Popen(
        [sys.executable, "-m", "paydesk", "dev", *options, *run, "--port", str(port)],
        cwd=tmp_path,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    guest = Person("ada")
    try:
        until(lambda: is_open(url) or shop.poll() is not None, "the shop to open")
        assert shop.poll() is None, shop.communicate()
        pricing = guest.visit(f"{url}/pricing")
        hosted = guest.send(pricing, pricing.form(sku="ebook"))
        thanks = guest.send(hosted, hosted.forms[0], email="ada@example.com", test_card=GOOD_CARD)
        assert shop.stdout is not None
        said = next(line for line in shop.stdout if line.startswith("deliver"))
    finally:
        guest.leave()
        shop.send_signal(signal.SIGTERM)
        _, told = shop.communicate(timeout=30)

    assert "$19" in pricing.text
    assert "Thank you!" in thanks.text
    assert said == "deliver ebook to ada@example.com\n"
    assert "checkout.session.completed → 200" in told
    assert "Traceback" not in told
    # It closed in order, and then says by which signal it was told to, as programs do.
    assert "Application shutdown complete" in told
    assert shop.returncode == 128 + signal.SIGTERM


def is_open(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/pricing", timeout=5).status_code == 200
    except httpx2.HTTPError:
        return False
