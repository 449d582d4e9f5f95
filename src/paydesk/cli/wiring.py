"""Wiring: what an app needs to find a local Stripe, and what the local Stripe needs to find the app.

The app gets Secrets; the local Stripe gets the app's webhook endpoint and its catalog.
All of it can be done again and again: a second start changes nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from paydesk.cli.controls import Controls
from paydesk.cli.stripe import KEY

if TYPE_CHECKING:
    import stripe

WEBHOOK_PATH = "/webhooks/stripe"
KEPT = "webhook-endpoint.json"


@dataclass(frozen=True)
class Endpoint:
    """A webhook endpoint, and the secret that only its creation showed."""

    id: str
    url: str
    secret: str


def client(stripe_url: str) -> stripe.StripeClient:
    """The official client, on the local Stripe."""
    import stripe

    return stripe.StripeClient(KEY, base_addresses={"api": stripe_url}, max_network_retries=0)


def endpoint(stripe_url: str, base_url: str, folder: Path) -> Endpoint:
    """The app's webhook endpoint: the one of last time, moved if the app has moved, or a new one.

    Its secret is kept in `folder`.
    """
    url = base_url + WEBHOOK_PATH
    endpoints = client(stripe_url).v1.webhook_endpoints
    there = {one.id: one for one in endpoints.list({"limit": 100}).data}
    known = _kept(folder)
    if known is not None and known.id in there:
        ours = there[known.id]
        if (ours.url, ours.status) != (url, "enabled"):
            endpoints.update(known.id, {"url": url, "disabled": False})
        wired = Endpoint(known.id, url, known.secret)
    elif (like := next((one for one in there.values() if (one.url, one.status) == (url, "enabled")), None)) is not None:
        rolled = Controls(stripe_url, KEY).post(f"/webhook_endpoints/{like.id}/roll_secret", {})
        wired = Endpoint(like.id, url, rolled["secret"])
    else:
        made = endpoints.create({"url": url, "enabled_events": ["*"], "description": "paydesk dev"})
        wired = Endpoint(made.id, url, made.secret or "")
    if wired != known:
        _keep(folder, wired)
    return wired


def secrets(stripe_url: str, base_url: str, webhook_secret: str, environment: Mapping[str, str]) -> dict[str, str]:
    """The environment an app starts with: the one given, with the local Stripe's Secrets in the place of others."""
    # Prices' ids and a publishable key belong to the account that made them.
    foreign = ("STRIPE_PRICE_", "STRIPE_PUBLISHABLE_KEY")
    kept = {name: value for name, value in environment.items() if not name.startswith(foreign)}
    return {
        **kept,
        "STRIPE_SECRET_KEY": KEY,
        "STRIPE_WEBHOOK_SECRET": webhook_secret,
        "STRIPE_API_BASE": stripe_url,
        "BASE_URL": base_url,
    }


def _kept(folder: Path) -> Endpoint | None:
    try:
        return Endpoint(**json.loads((folder / KEPT).read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def _keep(folder: Path, wired: Endpoint) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    ignored = folder / ".gitignore"
    if not ignored.exists():
        ignored.write_text("*\n", encoding="utf-8")
    path = folder / KEPT
    path.unlink(missing_ok=True)
    # Nobody else on this machine may read it, not even for a moment.
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump({"id": wired.id, "url": wired.url, "secret": wired.secret}, file)
