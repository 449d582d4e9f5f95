"""Which price is meant, and making prices exist."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from paydesk.billing.catalog import Catalog
from paydesk.billing.prices import REMEMBERED_SECONDS, Prices
from paydesk.billing.stripe_api import StripeApi
from paydesk.errors import PriceMismatch, UnknownPrice

if TYPE_CHECKING:
    import stripe

    from tests.billing.wire import Wire

CATALOG = Catalog.parse(
    """
[products.e-book]
name = "E-book"
price = "$19"
image = "https://shop.example/e-book.png"

[plans.pro]
name = "Pro"
price = ["$29/mo", "$290/yr"]
"""
)
EBOOK = CATALOG.products["e-book"].offer
PRO, PRO_YEARLY = CATALOG.plans["pro"].offers


@pytest.fixture
def api(wire: Wire, key: str) -> StripeApi:
    return StripeApi(SecretStr(key), wire.url, sleep=lambda _: None)


def prices_at_stripe(client: stripe.StripeClient) -> list[tuple[str | None, int | None, bool]]:
    return [(price.lookup_key, price.unit_amount, price.active) for price in client.v1.prices.list().data]


def test_pushing_a_catalog_makes_what_is_missing(client: stripe.StripeClient) -> None:
    """One call and everything can be sold."""
    CATALOG.push(client)

    assert set(prices_at_stripe(client)) == {("e-book", 1900, True), ("pro", 2900, True), ("pro_yearly", 29000, True)}
    product = client.v1.products.retrieve("paydesk_e-book")
    assert (product.name, product.images) == ("E-book", ["https://shop.example/e-book.png"])
    plan = {price.lookup_key: price for price in client.v1.prices.list({"product": "paydesk_pro"}).data}
    rhythms = {key: price.recurring.interval for key, price in plan.items() if price.recurring is not None}
    assert rhythms == {"pro": "month", "pro_yearly": "year"}


def test_pushing_again_changes_nothing(client: stripe.StripeClient) -> None:
    """It may run at every start."""
    CATALOG.push(client)
    before = len(client.v1.events.list({"limit": 100}).data)

    CATALOG.push(client)

    assert len(prices_at_stripe(client)) == 3
    assert len(client.v1.events.list({"limit": 100}).data) == before


def test_a_changed_price_takes_the_lookup_key_over(client: stripe.StripeClient) -> None:
    """A price at Stripe never changes; the name moves on to a new one, and the old one stays for who bought at it."""
    CATALOG.push(client)
    dearer = Catalog.parse('[products.e-book]\nname = "E-book, 2nd edition"\nprice = "$24"')

    dearer.push(client)

    assert {price for price in prices_at_stripe(client) if not str(price[0]).startswith("pro")} == {
        ("e-book", 2400, True),
        (None, 1900, True),
    }
    assert client.v1.products.retrieve("paydesk_e-book").name == "E-book, 2nd edition"


def test_an_archived_price_gives_its_key_to_a_new_one(client: stripe.StripeClient) -> None:
    """What was taken off the shelf in the dashboard is put back by the catalog."""
    CATALOG.push(client)
    (old,) = client.v1.prices.list({"lookup_keys": ["e-book"]}).data
    client.v1.prices.update(old.id, {"active": False})

    CATALOG.push(client)

    assert {("e-book", 1900, True), (None, 1900, False)} <= set(prices_at_stripe(client))


def test_a_price_is_found_by_its_lookup_key(api: StripeApi, client: stripe.StripeClient) -> None:
    """The same key in test and live mode, so nothing has to be configured."""
    CATALOG.push(client)

    prices = Prices(api, {}, livemode=False)

    assert client.v1.prices.retrieve(prices.id_of(EBOOK)).lookup_key == "e-book"
    assert client.v1.prices.retrieve(prices.id_of(PRO)).lookup_key == "pro"
    assert client.v1.prices.retrieve(prices.id_of(PRO_YEARLY)).lookup_key == "pro_yearly"


def test_a_secret_names_the_price(api: StripeApi, client: stripe.StripeClient) -> None:
    """STRIPE_PRICE_E_BOOK goes before the lookup key."""
    product = client.v1.products.create({"name": "Made by hand"})
    price = client.v1.prices.create({"product": product.id, "currency": "usd", "unit_amount": 1900})

    assert Prices(api, {"E_BOOK": price.id}, livemode=False).id_of(EBOOK) == price.id


def test_a_secret_that_names_nothing_says_so(api: StripeApi) -> None:
    """A price of the other mode does not exist in this one."""
    with pytest.raises(UnknownPrice, match=r"looked for price_gone, which STRIPE_PRICE_E_BOOK names"):
        Prices(api, {"E_BOOK": "price_gone"}, livemode=False).id_of(EBOOK)


@pytest.mark.parametrize(
    ("terms", "found"),
    [
        ({"unit_amount": 2000, "currency": "usd"}, r"\$20\.00"),
        ({"unit_amount": 1900, "currency": "eur"}, r"€19\.00"),
        ({"unit_amount": 1900, "currency": "usd", "active": False}, "archived"),
        ({"unit_amount": 1900, "currency": "usd", "recurring": {"interval": "month"}}, "a subscription"),
    ],
)
def test_a_price_unlike_the_catalog_is_not_sold(
    api: StripeApi, client: stripe.StripeClient, terms: dict[str, Any], found: str
) -> None:
    """Amount, currency, kind, and still for sale: all as promised, or not at all."""
    product = client.v1.products.create({"name": "E-book"})
    params: Any = {"product": product.id, **terms}
    price = client.v1.prices.create(params)

    with pytest.raises(PriceMismatch, match=rf"at \$19\.00, once, but {price.id} at Stripe is {found}\."):
        Prices(api, {"E_BOOK": price.id}, livemode=False).id_of(EBOOK)


def test_a_plan_is_charged_as_often_as_promised(api: StripeApi, client: stripe.StripeClient) -> None:
    """$29 a year is not $29 a month."""
    product = client.v1.products.create({"name": "Pro"})
    price = client.v1.prices.create(
        {"product": product.id, "currency": "usd", "unit_amount": 2900, "recurring": {"interval": "year"}}
    )

    with pytest.raises(PriceMismatch, match=r"every month, but .* is charged every year"):
        Prices(api, {"PRO": price.id}, livemode=False).id_of(PRO)


def test_a_price_is_remembered_for_a_while(api: StripeApi, client: stripe.StripeClient, wire: Wire) -> None:
    """A sale costs no extra call, and a change is noticed within minutes."""
    CATALOG.push(client)
    seconds = [0.0]
    prices = Prices(api, {}, livemode=False, now_seconds=lambda: seconds[0])

    prices.id_of(EBOOK)
    seconds[0] = REMEMBERED_SECONDS - 1
    prices.id_of(EBOOK)
    assert len(wire.sent("GET /v1/prices")) == 1

    seconds[0] = REMEMBERED_SECONDS
    prices.id_of(EBOOK)
    assert len(wire.sent("GET /v1/prices")) == 2
