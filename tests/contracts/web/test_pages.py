"""The pages as they are served: with headers that protect, below a prefix, and in the app's own dress."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tests.contracts.web.app import Shop

    OpenShop = Callable[..., AbstractContextManager[Shop]]

PROTECTING = {
    "cache-control": "no-store",
    "content-security-policy": "frame-ancestors 'none'",
    "content-type": "text/html; charset=utf-8",
    "referrer-policy": "strict-origin-when-cross-origin",
    "x-content-type-options": "nosniff",
}


def test_pages_cannot_be_framed_sniffed_or_told_of(shop: Shop) -> None:
    """No foreign page around the button, and no address of an order for other websites, refusals included."""
    for path in ("/pricing", "/account", "/thanks", "/billing-portal"):
        answer = shop.visitor("ada").get(path)

        assert PROTECTING.items() <= answer.headers.items()


def test_what_everybody_sees_may_be_kept_on_the_way(shop: Shop) -> None:
    """A price list for nobody in particular."""
    assert "no-store" not in shop.visitor().get("/pricing").headers.get("cache-control", "")


def test_pages_load_nothing_from_elsewhere(shop: Shop) -> None:
    """No foreign script beside the button."""
    page = shop.visitor().get("/pricing").text.replace("https://shop.example", "")

    assert "<script" not in page
    assert "http://" not in page
    assert "https://" not in page


def test_head_is_get_without_its_body(shop: Shop) -> None:
    """Whoever watches whether the shop is up may ask so."""
    asked, answer = shop.visitor().get("/pricing"), shop.visitor().asks("HEAD", "/pricing")

    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["content-security-policy"] == asked.headers["content-security-policy"]


def test_everything_goes_below_the_prefix(open_shop: OpenShop) -> None:
    """Routes, forms and links; and where it was without one, nothing is."""
    with open_shop(prefix="/billing") as shop:
        shop.has("ada", "pro")
        ada = shop.visitor("ada")
        page, gone = ada.get("/billing/pricing"), ada.get("/pricing")
        unpaid = shop.visitor("grace").get("/export")

        assert (page.status, gone.status) == (200, 404)
        assert 'action="/billing/checkout"' in page.text
        assert 'href="/billing/account"' in page.text
        assert ada.get("/billing/account").status == 200
        assert shop.app.reason(unpaid)["url"] == "https://shop.example/billing/pricing"


def test_an_apps_own_templates_go_first(open_shop: OpenShop, tmp_path: Path) -> None:
    """Every page, and every refusal, in the shop's own dress."""
    folder = tmp_path / "templates"
    folder.mkdir()
    (folder / "pricing.html").write_text('{% extends "paydesk/pricing.html" %}{% block heading %}By hand{% endblock %}')
    (folder / "error.html").write_text("Ours: {{ view.title }}")

    with open_shop(templates=folder) as shop:
        page, refusal = shop.visitor().get("/pricing"), shop.visitor().get("/account")

    assert "By hand" in page.text
    assert (refusal.status, refusal.text) == (401, "Ours: Please sign in first")
