"""What the app sells: read strictly, refused whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from paydesk.billing.catalog import Catalog
from paydesk.billing.money import Money
from paydesk.errors import CatalogError, QuantityRefused, UnknownProduct

if TYPE_CHECKING:
    from pathlib import Path

GOOD = """
# What we sell
[products.ebook]
name = "The little book of webhooks"
price = "$19"
description = "84 pages."

[products.mug]
name = "Mug"
price = "12,50 €"
lookup_key = "mug_2026"
image = "/static/mug.png"
quantity_max = 6

[plans.pro]
name = "Pro"
price = "29 USD"
interval = "month"
"""


def mistakes(text: str) -> list[tuple[int | None, str]]:
    with pytest.raises(CatalogError) as refusal:
        Catalog.parse(text)
    return [(mistake.line, mistake.reason) for mistake in refusal.value.mistakes]


def test_a_good_file_is_read_whole() -> None:
    """Everything that stands there is sold, with sensible defaults for the rest."""
    catalog = Catalog.parse(GOOD)

    ebook, mug = catalog.products.values()
    assert (ebook.code, ebook.price, ebook.lookup_key, ebook.quantity_max) == ("ebook", Money(1900, "usd"), "ebook", 1)
    assert (mug.price, mug.lookup_key, mug.image, mug.quantity_max) == (
        Money(1250, "eur"),
        "mug_2026",
        "/static/mug.png",
        6,
    )
    assert catalog.plans["pro"].interval == "month"
    assert catalog.plans["pro"].price == Money(2900, "usd")


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ('[products.a]\nname = "A"\nprice = "$1"\ncolour = "red"', 4, "unknown key 'colour'"),
        ('[products.a]\nname = "A"\nprice = 19', 3, "names no currency"),
        ('[products.a]\nname = "A"\nprice = "19"', 3, "names no currency"),
        ('[products.a]\nname = "A"\n\n\nprice = "$19.9"', 5, "2 digits after the point"),
        ('[products.a]\nname = "A"', 1, "price is missing"),
        ('[products.a]\nprice = "$1"', 1, "name is missing"),
        ('[products.a]\nname = ""\nprice = "$1"', 2, "name must be a text"),
        ('[products.a]\nname = "A"\nprice = "$1"\nquantity_max = 0', 4, "whole number from 1"),
        ('[products.a]\nname = "A"\nprice = "$1"\nquantity_min = true', 4, "whole number from 1"),
        ('[products.a]\nname = "A"\nprice = "$1"\nquantity_min = 5\nquantity_max = 2', 5, "less than quantity_min"),
        ('[products.a]\nname = "A"\nprice = "$1"\n[products.a]', 4, "not TOML: Cannot declare"),
        ('[products.a]\nname = "A"\nprice = "$1"\n[plans.a]\nname="A"\nprice="$1"\ninterval="day"', 4, "used twice"),
        ('[products.a-b]\nname="A"\nprice="$1"\n[products.a_b]\nname="A"\nprice="$1"', 4, "STRIPE_PRICE_A_B"),
        (
            '[products.a]\nname="A"\nprice="$1"\n[products.b]\nname="B"\nprice="$1"\nlookup_key="a"',
            7,
            "lookup key 'a' is used twice",
        ),
        ('[products.A]\nname = "A"\nprice = "$1"', 1, "lower-case letters"),
        ('[products]\na = "$1"', 2, "must be a table of its own"),
        ("products = 1", 1, "must be tables"),
        ('[product.a]\nname = "A"', 1, "unknown table or key 'product'"),
        ('[products.a]\nname = "A', 2, "not TOML"),
        ('[plans.a]\nname = "A"\nprice = "$1"', 1, "interval is missing"),
        ('[plans.a]\nname = "A"\nprice = "$1"\ninterval = "fortnight"', 4, "one of day, week, month, year"),
        ('[plans.a]\nname = "A"\nprice = "$1"\ninterval = "year"\ninterval_count = 4', 5, "from 1 to 3"),
        ('[plans.a]\nname = "A"\nprice = "$1"\ninterval = "year"\nquantity_max = 4', 5, "unknown key"),
        ('[products.a]\ndescription = """\nprice = 1\n"""\nname = "A"\nprice = 2', 6, "names no currency"),
        ('[products."a"]\nname = "A"\n"price" = 2 # hm', 3, "names no currency"),
        ("", None, "nothing is sold"),
    ],
)
def test_a_mistake_is_refused_with_line_and_reason(text: str, line: int | None, reason: str) -> None:
    """Whoever has to fix the file is told where and why."""
    found = mistakes(text)

    assert len(found) == 1
    assert found[0][0] == line
    assert reason in found[0][1]


def test_all_mistakes_are_listed_in_the_order_of_the_file() -> None:
    """Nobody fixes a file one mistake at a time."""
    found = mistakes("[products.a]\nname = 1\nprice = 2\n[plans.b]\ninterval = 3\n")

    assert [line for line, _ in found] == [2, 3, 4, 4, 5]


def test_the_message_says_the_files_name(tmp_path: Path) -> None:
    """There may be several catalogs."""
    file = tmp_path / "shop.toml"
    file.write_text('[products.a]\nname = "A"\nprice = "$1,000"\n')

    with pytest.raises(CatalogError, match=r"shop\.toml, line 3: products\.a: .*two ways"):
        Catalog.load(file)


def test_a_missing_file_says_what_to_create(tmp_path: Path) -> None:
    """The first start of a new app."""
    with pytest.raises(CatalogError, match=r"there is no such file\. Create it"):
        Catalog.load(tmp_path / "paydesk.toml")


def test_a_file_in_a_foreign_encoding_is_refused(tmp_path: Path) -> None:
    """Written by an old editor."""
    file = tmp_path / "paydesk.toml"
    file.write_bytes('[products.a]\nname = "Café"'.encode("latin-1"))

    with pytest.raises(CatalogError, match="cannot be read"):
        Catalog.load(file)


def test_an_unknown_code_is_refused_with_what_there_is() -> None:
    """A misspelt button is found at the first click."""
    with pytest.raises(UnknownProduct, match=r"does not sell 'ebok'\. It sells: ebook, mug"):
        Catalog.parse(GOOD).product("ebok")


def test_a_plan_is_not_sold_as_a_product() -> None:
    """Something that recurs is not sold once."""
    with pytest.raises(UnknownProduct):
        Catalog.parse(GOOD).product("pro")


@pytest.mark.parametrize("quantity", [0, -1, 7, 1.0, "2", True, None])
def test_a_quantity_outside_the_limits_is_refused(quantity: object) -> None:
    """What arrives from a browser can be anything."""
    with pytest.raises(QuantityRefused, match="Allowed: 1 to 6"):
        Catalog.parse(GOOD).product("mug").checked_quantity(quantity)
