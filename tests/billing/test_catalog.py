"""What the app sells: read strictly, refused whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from paydesk.billing.catalog import Catalog, Product
from paydesk.billing.money import Money
from paydesk.billing.plans import Plan
from paydesk.errors import CatalogError, IntervalRefused, QuantityRefused, SeatsRefused, UnknownPlan, UnknownProduct

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
price = ["29 USD a month", "$290/yr"]
seats_max = 20
trial_days = 14
features = ["export", "api"]
limits = { projects = 10 }

Starter: $9/mo → STRIPE_PRICE_STARTER
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
    pro, starter = catalog.plans.values()
    assert [str(offer) for offer in pro.offers] == ["$29.00 every month", "$290.00 every year"]
    assert [offer.lookup_key for offer in pro.offers] == ["pro", "pro_yearly"]
    assert [offer.secret for offer in pro.offers] == ["PRO", "PRO_YEARLY"]
    assert (pro.seats_min, pro.seats_max, pro.trial_days) == (1, 20, 14)
    assert (pro.features, pro.limits) == ({"export": "Export", "api": "Api"}, {"projects": 10})
    assert (starter.code, starter.name, str(starter.offer())) == ("starter", "Starter", "$9.00 every month")
    assert (starter.seats_max, starter.trial_days, starter.features) == (1, None, {})


@pytest.mark.parametrize(
    ("text", "code", "name", "offer"),
    [
        ("Starter: $9/mo → STRIPE_PRICE_STARTER", "starter", "Starter", "$9.00 every month"),
        ("  - Pro: $29/mo -> STRIPE_PRICE_PRO   # the big one", "pro", "Pro", "$29.00 every month"),
        ("Plans:\n  Team plan : 49 EUR per month => STRIPE_PRICE_TEAM_2", "team_2", "Team plan", "€49.00 every month"),
        ("Années: 99,00 € / year --> STRIPE_PRICE_YEARS\r\n", "years", "Années", "€99.00 every year"),
        ("E-book: $19 → STRIPE_PRICE_EBOOK", "ebook", "E-book", "$19.00, once"),
    ],
)
def test_a_line_of_plain_words_is_sold_as_it_stands(text: str, code: str, name: str, offer: str) -> None:
    """What a founder wrote to FlareX can be pasted into the file, with its heading and its arrows."""
    catalog = Catalog.parse(text)

    everything: list[Product | Plan] = [*catalog.products.values(), *catalog.plans.values()]
    (sold,) = everything
    assert (sold.code, sold.name, [str(each) for each in sold.offers]) == (code, name, [offer])


def test_what_looks_like_such_a_line_inside_of_a_text_is_left_alone() -> None:
    """A description may say anything."""
    catalog = Catalog.parse('[products.a]\nname = "A"\ndescription = """\nNote: read this\n"""\nprice = "$1"')

    assert catalog.products["a"].description == "Note: read this"


@pytest.mark.parametrize(
    ("written", "offer", "code"),
    [
        ("$29/mo", "$29.00 every month", "monthly"),
        ("$29 / month", "$29.00 every month", "monthly"),
        ("29 USD per month", "$29.00 every month", "monthly"),
        ("$29 a month", "$29.00 every month", "monthly"),
        ("$29 monthly", "$29.00 every month", "monthly"),
        ("$29 every 1 month", "$29.00 every month", "monthly"),
        ("¥500/day", "¥500 every day", "daily"),
        ("€5/wk", "€5.00 every week", "weekly"),
        ("$290/yr", "$290.00 every year", "yearly"),
        ("$290 every year", "$290.00 every year", "yearly"),
        ("$290 annually", "$290.00 every year", "yearly"),
        ("$79 every 3 months", "$79.00 every 3 months", "3_months"),
        ("$79/3mo", "$79.00 every 3 months", "3_months"),
    ],
)
def test_a_price_says_how_often_it_is_charged(written: str, offer: str, code: str) -> None:
    """As people write it."""
    plan = Catalog.parse(f'[plans.a]\nname = "A"\nprice = "{written}"').plans["a"]

    assert [str(each) for each in plan.offers] == [offer]
    assert plan.offer(code) == plan.offer() == plan.offers[0]


def test_a_rhythm_the_plan_is_not_charged_in_is_refused_with_those_it_is() -> None:
    """A button for a yearly price that was taken out of the catalog."""
    pro = Catalog.parse(GOOD).plans["pro"]

    assert pro.offer("year") == pro.offers[1]
    with pytest.raises(IntervalRefused, match=r"not charged every 'week'\. It is charged every month, or every year:"):
        pro.offer("week")


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
        ('[products.a]\nname = "A"\nprice = "$1"\n[plans.a]\nname="A"\nprice="$1/d"', 4, "used twice"),
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
        ('[plans.a]\nname = "A"\nprice = "$1"', 3, "does not say how often"),
        ('[plans.a]\nname = "A"\nprice = "$1/fortnight"', 3, "in words nobody here knows"),
        ('[plans.a]\nname = "A"\nprice = "$1 every 4 years"', 3, "Stripe takes 1 to 3"),
        ('[plans.a]\nname = "A"\nprice = "19/mo"', 3, "names no currency"),
        ('[plans.a]\nname = "A"\nprice = ["$1/mo", "$2/month"]', 3, "two prices are charged every month"),
        ('[plans.a]\nname = "A"\nprice = ["$1/mo", "2 EUR/yr"]', 3, "several currencies"),
        ('[plans.a]\nname = "A"\nprice = []', 3, "or a list of such"),
        ('[plans.a]\nname = "A"\nprice = "$1/mo"\ninterval = "month"', 4, "unknown key"),
        ('[plans.a]\nname = "A"\nprice = "$1/mo"\ntrial_days = 0', 4, "whole number from 1 to 730"),
        ('[plans.a]\nname = "A"\nprice = "$1/mo"\nseats_min = 3\nseats_max = 2', 5, "less than seats_min"),
        ('[plans.a]\nname = "A"\nprice = "$1/mo"\nfeatures = "export"', 4, "a list of different codes"),
        ('[plans.a]\nname = "A"\nprice = "$1/mo"\nfeatures = ["x", "x"]', 4, "a list of different codes"),
        ('[plans.a]\nname = "A"\nprice = "$1/mo"\nfeatures = ["Export!"]', 4, "lower-case letters"),
        ('[plans.a]\nname = "A"\nprice = "$1/mo"\nfeatures = { export = 1 }', 4, "features.export must be a text"),
        ('[plans.a]\nname = "A"\nprice = "$1/mo"\n[plans.a.limits]\nprojects = "ten"', 4, "zero or more"),
        ('[plans.a]\nname="A"\nprice=["$1/mo","$2/yr"]\n[plans.a_yearly]\nname="B"\nprice="$1/mo"', 4, "A_YEARLY"),
        ('[products.a]\nname = "A"\nprice = "$1"\n[portal]\ncancel = "never"', 5, "portal: cancel = 'never' must"),
        ('[products.a]\nname = "A"\nprice = "$1"\n[portal]\nswitch = "no"', 5, "must be true or false"),
        ('[products.a]\nname = "A"\nprice = "$1"\n[portal]\nhedline = "no"', 5, "portal: unknown key 'hedline'"),
        ('portal = 1\n[products.a]\nname = "A"\nprice = "$1"', 1, "unknown table or key 'portal'"),
        ('[meters.emails]\nname = "Mails"\nevent_name = 3', 3, "event_name must be a text"),
        ("Starter: $9/mo", 1, "names no price. Write it like"),
        ("\nStarter: $9/fortnight → STRIPE_PRICE_STARTER", 2, "in words nobody here knows"),
        ("\nStarter: 9/mo → STRIPE_PRICE_STARTER", 2, "names no currency"),
        ('[plans.pro]\nname="P"\nprice="$1/mo"\nPro: $29/mo → STRIPE_PRICE_PRO', 4, "used twice"),
        ('[products.a]\nname = "A"\nprice = "$1/mo"', 3, "That is a plan: [plans.a]"),
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


def test_a_retired_plan_is_kept_by_who_has_it_and_sold_to_nobody() -> None:
    """It stays in the file, so that what it allows is still known."""
    catalog = Catalog.parse('Pro: $29/mo → STRIPE_PRICE_PRO\n[plans.old]\nname="Old"\nprice="$9/mo"\nretired = true')

    assert [plan.code for plan in catalog.plans_for_sale] == ["pro"]
    assert catalog.plan("old", is_had=True).name == "Old"
    with pytest.raises(UnknownPlan, match="It has: pro"):
        catalog.plan("old")


@pytest.mark.parametrize("quantity", [0, -1, 7, 1.0, "2", True, None])
def test_a_quantity_outside_the_limits_is_refused(quantity: object) -> None:
    """What arrives from a browser can be anything."""
    with pytest.raises(QuantityRefused, match="Allowed: 1 to 6"):
        Catalog.parse(GOOD).product("mug").checked_quantity(quantity)


@pytest.mark.parametrize("seats", [0, -1, 21, 1.0, "2", True, None])
def test_seats_outside_the_limits_are_refused(seats: object) -> None:
    """What arrives from a browser can be anything."""
    pro = Catalog.parse(GOOD).plan("pro")

    assert pro.checked_seats(20) == 20
    with pytest.raises(SeatsRefused, match="Allowed: 1 to 20"):
        pro.checked_seats(seats)


def test_an_unknown_plan_is_refused_with_what_there_is() -> None:
    """A product is no plan either."""
    for code in ("por", "ebook"):
        with pytest.raises(UnknownPlan, match=rf"no plan '{code}'\. It has: pro, starter"):
            Catalog.parse(GOOD).plan(code)
