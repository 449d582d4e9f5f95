"""Prices: how much a product costs, and how often."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, cast

import pytest
import stripe


@pytest.fixture
def product(client: stripe.StripeClient) -> str:
    """A product to be priced."""
    return client.v1.products.create({"name": "E-book"}).id


def events(client: stripe.StripeClient) -> list[str]:
    """What happened in the sandbox, oldest first."""
    return [str(event.type) for event in client.v1.events.list({"limit": 100}).data][::-1]


def dollars(**said: Any) -> Any:
    """The parameters of a price of $19."""
    return {"currency": "usd", "unit_amount": 1900, **said}


def refusal(error: pytest.ExceptionInfo[stripe.InvalidRequestError]) -> tuple[str | None, str]:
    """Param and sentence of a refusal."""
    assert error.value.http_status == 400
    return error.value.param, str(error.value.user_message)


def test_a_one_time_price(client: stripe.StripeClient, product: str) -> None:
    """Amount and currency are enough; the amount is there as a number and as a text."""
    price = client.v1.prices.create({"currency": "USD", "unit_amount": 1900, "product": product}).to_dict()

    assert (price["currency"], price["unit_amount"], str(price["unit_amount_decimal"])) == ("usd", 1900, "1900")
    assert (price["type"], price["recurring"], price["billing_scheme"]) == ("one_time", None, "per_unit")
    assert (price["active"], price["tax_behavior"], price["lookup_key"]) == (True, "unspecified", None)
    assert events(client) == ["product.created", "price.created"]


def test_a_recurring_price_is_also_a_plan(client: stripe.StripeClient, product: str) -> None:
    """It is due every month unless told otherwise, and its legacy plan is told of just before it."""
    price = client.v1.prices.create(
        {"currency": "usd", "unit_amount": 2900, "product": product, "recurring": {"interval": "month"}}
    )

    assert price.type == "recurring"
    assert price.recurring is not None
    assert price.recurring.to_dict() == {
        "interval": "month",
        "interval_count": 1,
        "meter": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }
    assert events(client) == ["product.created", "plan.created", "price.created"]
    plan = client.v1.events.list({"type": "plan.created"}).data[0].data.object
    assert (plan["id"], plan["amount"], plan["interval"]) == (price.id, 2900, "month")


@pytest.mark.parametrize(("interval", "count"), [("day", 1095), ("week", 156), ("month", 36), ("year", 3)])
def test_a_price_is_due_once_in_three_years_at_least(
    client: stripe.StripeClient, product: str, interval: Any, count: int
) -> None:
    """The longest interval of each kind."""
    price = client.v1.prices.create(dollars(product=product, recurring={"interval": interval, "interval_count": count}))

    assert price.recurring is not None
    assert (price.recurring.interval, price.recurring.interval_count) == (interval, count)


def test_a_price_can_bring_its_product(client: stripe.StripeClient) -> None:
    """`product_data` makes the product first."""
    price = client.v1.prices.create(
        {"currency": "usd", "unit_amount": 1900, "product_data": {"name": "E-book"}, "expand": ["product"]}
    )

    assert isinstance(price.product, stripe.Product)
    assert (price.product.name, price.product.active) == ("E-book", True)
    assert events(client) == ["product.created", "price.created"]


@pytest.mark.parametrize(
    ("sent", "whole", "text"),
    [
        ({"unit_amount": 0}, 0, "0"),
        ({"unit_amount_decimal": "1900"}, 1900, "1900"),
        ({"unit_amount_decimal": "1900.00"}, 1900, "1900"),
        ({"unit_amount_decimal": "0.5"}, None, "0.5"),
        ({"unit_amount_decimal": "12.345678901234"}, None, "12.345678901234"),
        ({"unit_amount_decimal": "100000000000.10"}, None, "100000000000.1"),
    ],
)
def test_an_amount_may_be_finer_than_a_cent(
    client: stripe.StripeClient, product: str, sent: Any, whole: int | None, text: str
) -> None:
    """Decimals are texts on the wire, never floats; a whole one is a number too."""
    price = client.v1.prices.create({"currency": "usd", "product": product} | sent)

    assert (price.unit_amount, str(price.unit_amount_decimal)) == (whole, text)


def test_what_is_large_is_shown_when_it_is_asked_for(client: stripe.StripeClient, product: str) -> None:
    """`tiers` and `currency_options` are there only when expanded; a price without tiers has none."""
    tiered = client.v1.prices.create(
        {
            "currency": "usd",
            "product": product,
            "billing_scheme": "tiered",
            "tiers_mode": "graduated",
            "recurring": {"interval": "month"},
            "tiers": [
                {"up_to": 5, "unit_amount": 1000},
                {"up_to": "inf", "unit_amount_decimal": Decimal("7.5"), "flat_amount": 1},
            ],
        }
    )
    plain = client.v1.prices.create(
        {"currency": "usd", "unit_amount": 1900, "product": product, "currency_options": {"EUR": {"unit_amount": 1800}}}
    )

    shown = client.v1.prices.retrieve(tiered.id, {"expand": ["tiers"]}).to_dict()
    options = client.v1.prices.retrieve(plain.id, {"expand": ["currency_options", "tiers"]}).to_dict()

    assert ("tiers" in tiered, "currency_options" in plain, "tiers" in options) == (False, False, False)
    assert (tiered.unit_amount, tiered.unit_amount_decimal, tiered.tiers_mode) == (None, None, "graduated")
    assert [(tier["up_to"], tier["unit_amount"], tier["flat_amount"]) for tier in shown["tiers"]] == [
        (5, 1000, None),
        (None, None, 1),
    ]
    assert {code: option["unit_amount"] for code, option in options["currency_options"].items()} == {
        "eur": 1800,
        "usd": 1900,
    }


def test_a_customer_may_choose_what_to_pay(client: stripe.StripeClient, product: str) -> None:
    """`custom_unit_amount` takes the place of the amount."""
    price = client.v1.prices.create(
        {"currency": "usd", "product": product, "custom_unit_amount": {"enabled": True, "minimum": 500, "preset": 1000}}
    )

    assert price.custom_unit_amount is not None
    assert price.custom_unit_amount.to_dict() == {"maximum": None, "minimum": 500, "preset": 1000}
    assert (price.unit_amount, price.unit_amount_decimal) == (None, None)


MONTHLY = {"interval": "month"}
TIERED = {"billing_scheme": "tiered", "tiers_mode": "volume"}


@pytest.mark.parametrize(
    ("params", "param", "sentence"),
    [
        ({}, None, "Prices require an `unit_amount` or `unit_amount_decimal` parameter to be set."),
        ({"unit_amount": -1}, "unit_amount", "Invalid non-negative integer"),
        ({"unit_amount_decimal": "-0.5"}, "unit_amount_decimal", "Invalid non-negative integer"),
        ({"unit_amount_decimal": "1.1234567890123"}, "unit_amount_decimal", "at most 12 decimal places"),
        (
            {"unit_amount": 1, "unit_amount_decimal": "1"},
            None,
            "You may only specify one of these parameters: unit_amount, unit_amount_decimal.",
        ),
        (
            {"unit_amount": 1, "currency": "zzz"},
            "currency",
            "Invalid currency: zzz. Stripe currently supports these currencies: usd, aed, afn",
        ),
        (
            {"unit_amount": 1, "recurring": {"interval": "month", "interval_count": 37}},
            "recurring[interval_count]",
            "The interval_count for monthly prices can't be greater than 36",
        ),
        (
            {"unit_amount": 1, "recurring": {"interval": "day", "interval_count": 1096}},
            "recurring[interval_count]",
            "The interval_count for daily prices can't be greater than 1095",
        ),
        (
            {"unit_amount": 1, "recurring": {"interval": "week", "interval_count": 157}},
            "recurring[interval_count]",
            "The interval_count for weekly prices can't be greater than 156",
        ),
        (
            {"unit_amount": 1, "recurring": {"interval": "year", "interval_count": 4}},
            "recurring[interval_count]",
            "The interval_count for yearly prices can't be greater than 3",
        ),
        (
            {"unit_amount": 1, "recurring": {"interval": "month", "interval_count": 0}},
            "recurring[interval_count]",
            "greater than or equal to 1",
        ),
        (
            {"unit_amount": 1, "recurring": {"interval": "fortnight"}},
            "recurring[interval]",
            "Invalid recurring[interval]: must be one of month, year, week, or day",
        ),
        (
            {"unit_amount": 1, "recurring": {"interval": "month", "usage_type": "metered"}},
            "recurring[usage_type]",
            "Starting with Stripe version `2025-03-31.basil`, metered prices must be backed by meters.",
        ),
        ({"unit_amount": 1, "tiers": [{"up_to": "inf", "unit_amount": 1}]}, "tiers", "`billing_scheme`"),
        (TIERED, "tiers", "Missing required param: tiers."),
        ({**TIERED, "tiers": [{"up_to": 5, "unit_amount": 1}]}, "tiers[0][up_to]", "last tier"),
        (
            {**TIERED, "tiers": [{"up_to": 5, "unit_amount": 1}, {"up_to": 5, "unit_amount": 1}]},
            "tiers[1][up_to]",
            "last tier",
        ),
        ({**TIERED, "tiers": [{"up_to": "inf"}]}, "tiers[0]", "A tier needs"),
        (
            {"unit_amount": 1, "custom_unit_amount": {"enabled": True}},
            None,
            "You may only specify one of these parameters: custom_unit_amount, unit_amount.",
        ),
        (
            {"custom_unit_amount": {"enabled": True}, "recurring": MONTHLY},
            "custom_unit_amount",
            "cannot be used with a recurring price",
        ),
        (
            {"unit_amount": 1, "currency_options": {"eur": {"unit_amount": -1}}},
            "currency_options[eur][unit_amount]",
            "Invalid non-negative integer",
        ),
    ],
)
def test_a_price_that_cannot_be_is_refused(
    client: stripe.StripeClient, product: str, params: Any, param: str | None, sentence: str
) -> None:
    """What contradicts itself or says too little, in Stripe's words where they are known."""
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.prices.create({"currency": "usd", "product": product} | params)

    assert refusal(refused)[0] == param
    assert sentence in refusal(refused)[1]
    assert client.v1.prices.list().data == []


def test_a_price_is_of_a_product(client: stripe.StripeClient) -> None:
    """One that is named or described, that exists, and only one."""
    with pytest.raises(stripe.InvalidRequestError) as nothing:
        client.v1.prices.create({"currency": "usd", "unit_amount": 1})
    with pytest.raises(stripe.InvalidRequestError) as unknown:
        client.v1.prices.create({"currency": "usd", "unit_amount": 1, "product": "prod_nothing"})

    assert refusal(nothing)[1] == "You must specify either `product` or `product_data` when creating a price."
    assert refusal(unknown) == ("product", "No such product: 'prod_nothing'")
    assert unknown.value.code == "resource_missing"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("unit_amount", 1),
        ("unit_amount_decimal", "0.5"),
        ("currency", "eur"),
        ("product", "prod_other"),
        ("recurring", {"interval": "year"}),
        ("billing_scheme", "tiered"),
        ("tiers", [{"up_to": "inf", "unit_amount": 1}]),
    ],
)
def test_what_somebody_agreed_to_pay_never_changes(
    client: stripe.StripeClient, product: str, name: str, value: Any
) -> None:
    """Amount, currency, product and interval are no parameters of an update."""
    price = client.v1.prices.create({"currency": "usd", "unit_amount": 1900, "product": product})

    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.prices.update(price.id, cast("Any", {name: value}))

    assert refusal(refused) == (name, f"Received unknown parameter: {name}")
    assert refused.value.code == "parameter_unknown"


def test_what_may_change_of_a_price(client: stripe.StripeClient, product: str) -> None:
    """Its state, its names, its metadata, and amounts in further currencies."""
    price = client.v1.prices.create(
        {"currency": "usd", "unit_amount": 1900, "product": product, "metadata": {"a": "1"}, "nickname": "Launch"}
    )

    updated = client.v1.prices.update(
        price.id,
        {
            "active": False,
            "nickname": "",
            "metadata": {"b": "2"},
            "tax_behavior": "exclusive",
            "currency_options": {"eur": {"unit_amount": 1800}},
            "expand": ["currency_options"],
        },
    )

    assert (updated.active, updated.nickname, updated.metadata.to_dict()) == (False, None, {"a": "1", "b": "2"})
    assert updated.currency_options is not None
    assert updated.currency_options["eur"].unit_amount == 1800
    with pytest.raises(stripe.InvalidRequestError) as again:
        client.v1.prices.update(price.id, {"tax_behavior": "inclusive"})
    assert refusal(again)[0] == "tax_behavior"


def test_the_default_price_of_a_product_is_not_archived(client: stripe.StripeClient) -> None:
    """Give the product another default first."""
    product = client.v1.products.create({"name": "E-book", "default_price_data": {"currency": "usd", "unit_amount": 1}})
    price = str(product.default_price)

    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.prices.update(price, {"active": False})
    better = client.v1.prices.create({"currency": "usd", "unit_amount": 2, "product": product.id})
    client.v1.products.update(product.id, {"default_price": better.id})
    archived = client.v1.prices.update(price, {"active": False})

    assert refusal(refused)[1] == "This price cannot be archived because it is the default price of its product."
    assert archived.active is False


def test_prices_cannot_be_deleted(client: stripe.StripeClient, product: str) -> None:
    """Stripe has no such URL: archive it instead."""
    price = client.v1.prices.create({"currency": "usd", "unit_amount": 1900, "product": product})

    with pytest.raises(stripe.InvalidRequestError, match="Unrecognized request URL") as refused:
        client.raw_request("delete", f"/v1/prices/{price.id}")

    assert refused.value.http_status == 404


def test_lists_are_narrowed(client: stripe.StripeClient, product: str) -> None:
    """By product, currency, state, kind, interval and lookup keys, alone and together."""
    book = client.v1.prices.create(dollars(product=product, lookup_key="ebook"))
    old = client.v1.prices.create(dollars(product=product, active=False))
    euro = client.v1.prices.create({"currency": "eur", "unit_amount": 1, "product_data": {"name": "Poster"}})
    yearly = client.v1.prices.create(dollars(product=product, recurring={"interval": "year"}, lookup_key="pro"))

    def ids(**narrowed: Any) -> list[str]:
        return [price.id for price in client.v1.prices.list(cast("Any", narrowed)).data]

    assert ids() == [yearly.id, euro.id, old.id, book.id]
    assert ids(product=product, active=True) == [yearly.id, book.id]
    assert ids(currency="eur") == [euro.id]
    assert ids(type="one_time", active=False) == [old.id]
    assert ids(recurring={"interval": "year"}) == [yearly.id]
    assert ids(recurring={"interval": "month"}) == []
    assert ids(lookup_keys=["ebook", "pro", "nothing"]) == [yearly.id, book.id]
    assert ids(lookup_keys=["ebook", "pro"], limit=1, starting_after=yearly.id) == [book.id]
    assert ids(product="prod_nothing") == []


def test_prices_are_found_by_what_they_hold(client: stripe.StripeClient, product: str) -> None:
    """Search by product, currency, state, lookup key and metadata."""
    price = client.v1.prices.create(
        {"currency": "usd", "unit_amount": 1900, "product": product, "metadata": {"sku": "ebook"}}
    )
    client.v1.prices.create({"currency": "usd", "unit_amount": 900, "product": product})

    found = client.v1.prices.search({"query": f"product:'{product}' AND metadata['sku']:'ebook'"})

    assert [result.id for result in found.data] == [price.id]
