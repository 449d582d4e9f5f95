"""The adapters that the contract suite runs on: to add one, write how its app is opened, and name it here."""

from __future__ import annotations

from tests.contracts.web import on_asgi, on_django, on_fastapi, on_flask, on_page
from tests.contracts.web.app import Adapter

ADAPTERS: tuple[Adapter, ...] = (
    Adapter("fastapi", on_fastapi.opened),
    Adapter("starlette", on_asgi.on_starlette),
    Adapter("flask", on_flask.opened),
    Adapter("litestar", on_asgi.on_litestar),
    Adapter("the page about adding one", on_page.opened),
    Adapter("django", on_django.opened),
    Adapter("django on postgresql", on_django.opened, "postgresql"),
)
