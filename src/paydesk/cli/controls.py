"""The controls of a local Stripe, as commands ask them: which server, whose sandbox, and what if it is not there."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, Request, build_opener

import click

from paydesk.cli.stripe import KEY

URL = "http://127.0.0.1:12111"
TIMEOUT_SECONDS = 30.0
_LIVE = "sk_live_"
_REHEARSAL = "sk_live_local_"


@dataclass(frozen=True)
class Controls:
    """What is under /_local at `url`, in the sandbox that `key` opens."""

    url: str
    key: str

    def get(self, path: str) -> dict[str, Any]:
        """What a control shows."""
        return self._ask(self._request(path), TIMEOUT_SECONDS)

    def post(
        self, path: str, fields: dict[str, Any], *, timeout_seconds: float | None = TIMEOUT_SECONDS
    ) -> dict[str, Any]:
        """What a control answers; without a time-out, however long it takes."""
        return self._ask(self._request(path, json.dumps(fields).encode()), timeout_seconds)

    def _request(self, path: str, body: bytes | None = None) -> Request:
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        return Request(f"{self.url}/_local{path}", body, headers)  # noqa: S310 - its scheme was checked

    def _ask(self, request: Request, timeout_seconds: float | None) -> dict[str, Any]:
        try:
            # No proxy stands between us and this machine.
            with build_opener(ProxyHandler({})).open(request, timeout=timeout_seconds) as response:
                answer = json.load(response)
        except HTTPError as refused:
            raise click.ClickException(self._reason(refused)) from None
        except ValueError:
            raise click.ClickException(self._stranger()) from None
        except (URLError, OSError) as error:
            reason = getattr(error, "reason", error)
            raise click.ClickException(
                f"No local Stripe answers at {self.url} ({getattr(reason, 'strerror', None) or reason}). "
                "Start one with `paydesk stripe` or `paydesk dev`, or say where it is with --url."
            ) from None
        if not isinstance(answer, dict):
            raise click.ClickException(self._stranger())
        return answer

    def _reason(self, refused: HTTPError) -> str:
        try:
            message: str = json.load(refused)["error"]["message"]
        except (ValueError, KeyError, TypeError):
            return self._stranger()
        return message

    def _stranger(self) -> str:
        return f"What answers at {self.url} is no local Stripe. Say where it is with --url, or in STRIPE_API_BASE."


def asks_local_stripe(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command its `controls`, from --url and the Secrets that an app beside the local Stripe has."""

    @click.option("--url", envvar="STRIPE_API_BASE", default=URL, show_default=True, help="Where the local Stripe is.")
    @click.option("--key", envvar="STRIPE_SECRET_KEY", default=KEY, show_default=True, help="The sandbox's secret key.")
    @wraps(command)
    def asking(*arguments: Any, url: str, key: str, **options: Any) -> None:
        if key.startswith(_LIVE) and not key.startswith(_REHEARSAL):
            raise click.ClickException(
                "The key looks like a real live key, and was not sent. A local Stripe opens with any sk_test_… key."
            )
        if not url.startswith(("http://", "https://")):
            raise click.BadParameter(f"{url!r} is no URL such as {URL}", param_hint="--url")
        command(*arguments, controls=Controls(url.rstrip("/"), key), **options)

    return asking
