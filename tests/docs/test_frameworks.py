"""docs/flask.md and docs/asgi.md: their apps work as they stand there."""

from __future__ import annotations

import sys
import types
from typing import TYPE_CHECKING, Any

import pytest
from litestar.testing import TestClient as LitestarClient
from starlette.testclient import TestClient

from tests.docs.blocks import blocks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CATALOG = """
[plans.pro]
name = "Pro"
price = "$29/mo"
features = { drafts = "Drafts before they are chapters" }
"""


@pytest.fixture(autouse=True)
def secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "paydesk.toml").write_text(CATALOG)
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_test_docs")
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", "whsec_docs")
    monkeypatch.setenv("BASE_URL", "http://localhost:8000")
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'docs.db'}")
    monkeypatch.setenv("PAYDESK_CATALOG", str(tmp_path / "paydesk.toml"))
    monkeypatch.setenv("PAYDESK_WORKER", "0")


@pytest.fixture
def written() -> Iterator[Any]:
    """A module with what the page's blocks say, one after the other."""
    made: list[str] = []

    def of(document: str) -> Any:
        module = types.ModuleType("shop_of_the_docs")
        sys.modules[module.__name__] = module
        made.append(module.__name__)
        for code in blocks(document, "python"):
            exec(compile(code, document, "exec"), module.__dict__)  # noqa: S102 - our own page
        return module

    yield of
    for name in made:
        del sys.modules[name]


def test_the_flask_app_of_the_page_has_prices_and_a_gate(written: Any) -> None:
    """Its factory makes an app; whoever has no plan is told so, in a browser with the prices."""
    app = written("docs/flask.md").create_app(SECRET_KEY="of the docs", TESTING=True)
    visitor = app.test_client()

    unknown = visitor.get("/drafts")
    with visitor.session_transaction() as session:
        session["name"] = "ada"
    told, shown = visitor.get("/drafts"), visitor.get("/drafts", headers={"Accept": "text/html"})

    assert "Drafts before they are chapters" in visitor.get("/pricing").text
    assert (unknown.status_code, told.status_code, shown.status_code) == (401, 403, 303)
    assert shown.location == "http://localhost:8000/pricing"
    assert visitor.get("/account").status_code == 200
    app.extensions["paydesk"].close()


def test_the_asgi_apps_of_the_page_have_prices_and_a_gate(written: Any) -> None:
    """The one in Starlette, and the one in Litestar."""
    page = written("docs/asgi.md")

    for visitor in (TestClient(page.app), LitestarClient(page.litestar)):
        with visitor:
            visitor.cookies["name"] = "ada"
            assert "Drafts before they are chapters" in visitor.get("/pricing").text
            assert visitor.get("/drafts").status_code == 403
            assert visitor.get("/account").status_code == 200
    page.desk.close()
