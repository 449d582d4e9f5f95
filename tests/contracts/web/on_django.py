"""The contract suite's app, in Django."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tests.django import project

project.settle()

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.test import Client, override_settings
from django.urls import include, path

from paydesk import User
from paydesk.django import owner, require
from paydesk.django.lazy import lazy
from tests.contracts.web.app import Reply, Wiring
from tests.django.databases import connected_to, database_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from paydesk import Paydesk

# What settings.py calls otherwise than the environment.
NAMES = {f"PAYDESK_{name}": name for name in ("WORKER", "KEEP_DAYS", "LATE_SECONDS", "METRICS_TOKEN")}


class DjangoApp:
    """A project of a few lines, in process. Django's own guard of forms is on, as in every project."""

    def __init__(self, desk: Paydesk) -> None:
        self.desk = desk
        self._client = Client(enforce_csrf_checks=True, raise_request_exception=False)

    def ask(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        named = {"host": "shop.example", **{name.lower(): value for name, value in headers.items()}}
        # The client leaves the type out where there is no body, unless it is told as servers tell it.
        kind = named.get("content-type", "")
        answer = self._client.generic(method, target, body, secure=True, headers=named, CONTENT_TYPE=kind)
        told = {name.lower(): value for name, value in answer.items()}
        return Reply(answer.status_code, told, answer.content)

    def reason(self, reply: Reply) -> Mapping[str, Any]:
        """As the desk's own refusals, with the way out beside."""
        told = reply.json()
        return {**told["error"], **({"url": told["url"]} if "url" in told else {})}


@contextmanager
def opened(wiring: Wiring) -> Iterator[DjangoApp]:
    options = {**wiring.options}
    below = options.pop("prefix", "").lstrip("/")
    secrets = {**wiring.secrets}
    database = database_at(secrets.pop("DATABASE_URL"))
    said = {NAMES.get(name, name): value for name, value in secrets.items()}
    named = {name.upper(): value for name, value in options.items()}
    settings = {
        "ALLOWED_HOSTS": ["*"],
        "ROOT_URLCONF": (path(f"{below}/" if below else "", include("paydesk.django.urls")), path("export", export)),
        "PAYDESK": {**said, **named, "CATALOG": wiring.catalog, "OWNER": current_user, "TABLE_PREFIX": ""},
    }
    with connected_to(database), override_settings(**settings):
        yield DjangoApp(lazy.itself())


def current_user(request: HttpRequest) -> User | None:
    name = request.COOKIES.get("user")
    return User(name, f"{name}@example.com") if name else None


@require("export")
def export(request: HttpRequest) -> HttpResponse:
    found = owner(request)
    assert found is not None
    return JsonResponse({"for": found.id})
