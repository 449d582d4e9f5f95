"""The pages: what each stage says, and how an app makes them its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from paydesk.billing.catalog import Catalog
from paydesk.billing.facts import Order
from paydesk.billing.orders import Progress, Stage
from paydesk.billing.web.pages import Pages, Shop

if TYPE_CHECKING:
    from pathlib import Path

CATALOG = Catalog.parse(
    """
[products.ebook]
name = "<b>Bold</b> & 'quoted'"
price = "$19"
description = "</style><script>alert(1)</script>"

[products.mug]
name = "Mug"
price = "12.50 EUR"
image = "/static/mug.png"
quantity_max = 6

[products.table]
name = "Table for four"
price = "$80"
quantity_min = 4
quantity_max = 4
"""
)


def pages(folder: Path | None = None, *, livemode: bool = True, prefix: str = "") -> Pages:
    shop = Shop.at("https://shop.example", prefix=prefix, name=None, livemode=livemode)
    return Pages(shop, folder)


def progress(stage: Stage, **changes: object) -> Progress:
    values: dict[str, object] = {
        "id": "ord_1",
        "sku": "mug",
        "quantity": 2,
        "amount_minor": 2500,
        "currency": "eur",
        "status": "paid",
        "email": "ada@example.com",
    }
    order = Order(**(values | changes))  # type: ignore[arg-type]
    return Progress(order, stage, "https://pay.example/c/pay" if stage == "open" else None)


def test_every_product_has_its_price_and_a_button() -> None:
    """What is sold, for how much, how many at a time."""
    page = pages().pricing(CATALOG.products.values())

    assert page.count('action="/checkout"') == 3
    assert "$19" in page
    assert "€12.50" in page
    assert 'type="number" name="quantity"' in page
    assert 'max="6"' in page
    assert "Buy 4" in page
    assert 'src="/static/mug.png"' in page


def test_a_catalogs_text_is_only_text() -> None:
    """Whatever stands in a name cannot become part of the page."""
    page = pages().pricing(CATALOG.products.values())

    assert "&lt;b&gt;Bold&lt;/b&gt; &amp; &#39;quoted&#39;" in page
    assert "<script>" not in page


def test_an_empty_shop_says_so() -> None:
    """Nothing for sale is no error."""
    assert "nothing for sale right now" in pages().pricing([])


@pytest.mark.parametrize(
    ("stage", "said"),
    [
        ("paid", "Your payment has arrived"),
        ("processing", "Some ways of paying take a while"),
        ("open", "nothing was charged"),
        ("failed", "did not go through"),
        ("expired", "This payment page has closed"),
        ("refunded", "The money is on its way back"),
    ],
)
def test_each_stage_is_told_in_its_own_words(stage: Stage, said: str) -> None:
    """Nobody is thanked for a payment that has not arrived."""
    page = pages().thanks(progress(stage), CATALOG.products["mug"])

    assert said in page
    assert "Mug × 2" in page
    assert "€25.00" in page
    assert ("Thank you" in page) == (stage == "paid")
    assert ("https://pay.example/c/pay" in page) == (stage == "open")
    assert ('http-equiv="refresh"' in page) == (stage == "processing")


def test_a_partial_refund_is_shown() -> None:
    """Paid, and some of it came back."""
    assert "€5.00" in pages().thanks(progress("paid", amount_refunded_minor=500), None)


def test_an_order_for_something_no_longer_sold_is_still_shown() -> None:
    """Catalogs change; orders stay."""
    assert "mug × 2" in pages().thanks(progress("paid"), None)


def test_test_mode_is_plain_to_see_and_live_mode_says_nothing_of_it() -> None:
    """Nobody mistakes the one for the other, and customers never read about test cards."""
    assert "4242 4242 4242 4242" in pages(livemode=False).pricing([])
    assert "4242" not in pages(livemode=True).pricing([])
    assert "Test mode" not in pages(livemode=True).pricing([])


def test_the_developers_detail_is_kept_from_customers() -> None:
    """In live mode the reason is in the log alone."""
    assert "the reason" in pages(livemode=False).error("Sorry", "Later.", detail="the reason")
    assert "the reason" not in pages(livemode=True).error("Sorry", "Later.", detail="the reason")


@pytest.mark.parametrize(
    ("base_url", "name", "shown"),
    [
        ("https://shop.example", "The Bookshop", "The Bookshop"),
        ("https://shop.example", None, "shop.example"),
        ("http://localhost:8000", None, "localhost"),
        ("http://127.0.0.1:8000", None, "Shop"),
        ("http://[::1]:8000", None, "Shop"),
    ],
)
def test_a_shop_is_called_by_its_name_or_its_host(base_url: str, name: str | None, shown: str) -> None:
    """Numbers are no name to put over a door."""
    assert Shop.at(base_url, prefix="", name=name, livemode=True).name == shown


def test_forms_go_below_the_prefix() -> None:
    """A desk mounted at /billing posts there."""
    assert 'action="/billing/checkout"' in pages(prefix="/billing").pricing(CATALOG.products.values())


def test_an_apps_own_template_goes_first(tmp_path: Path) -> None:
    """It replaces ours, or extends it and changes a part."""
    (tmp_path / "error.html").write_text("Ours: {{ view.title }}")
    (tmp_path / "pricing.html").write_text(
        '{% extends "paydesk/pricing.html" %}{% block heading %}Books by hand{% endblock %}'
    )
    own = pages(tmp_path)

    assert own.error("Sorry <3", "Later.") == "Ours: Sorry &lt;3"
    assert "Books by hand" in own.pricing(CATALOG.products.values())
    assert "Thank you" in own.thanks(progress("paid"), None)


def test_an_app_can_set_its_own_colours(tmp_path: Path) -> None:
    """One small file, and every page is of the brand."""
    (tmp_path / "brand.css").write_text(":root { --accent: rebeccapurple; }")

    assert "--accent: rebeccapurple;" in pages(tmp_path).pricing([])
