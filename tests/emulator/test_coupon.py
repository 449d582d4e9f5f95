"""Coupons: what is taken off, and how often."""

from __future__ import annotations

import time
from typing import Any

import pytest
import stripe

from tests.emulator.controls import Controls

DAY = 24 * 60 * 60


def test_a_share_is_taken_off_once_unless_told_otherwise(client: stripe.StripeClient) -> None:
    """A percentage is enough; the id is eight characters when nobody chose one."""
    coupon = client.v1.coupons.create({"percent_off": 25.5}).to_dict()

    assert (coupon["percent_off"], coupon["amount_off"], coupon["currency"]) == (25.5, None, None)
    assert (coupon["duration"], coupon["duration_in_months"]) == ("once", None)
    assert (coupon["valid"], coupon["times_redeemed"], coupon["max_redemptions"]) == (True, 0, None)
    assert len(coupon["id"]) == 8
    assert [event.type for event in client.v1.events.list().data] == ["coupon.created"]


def test_an_amount_is_taken_off_in_its_currencies(client: stripe.StripeClient) -> None:
    """`currency_options` are shown when they are asked for, the coupon's own currency among them."""
    coupon = client.v1.coupons.create(
        {"id": "WELCOME5", "amount_off": 500, "currency": "USD", "currency_options": {"EUR": {"amount_off": 450}}}
    )

    changed = client.v1.coupons.update(
        coupon.id, {"currency_options": {"gbp": {"amount_off": 400}}, "expand": ["currency_options"]}
    )

    assert (coupon.id, coupon.amount_off, coupon.currency) == ("WELCOME5", 500, "usd")
    assert "currency_options" not in coupon
    assert changed.currency_options is not None
    assert {code: option["amount_off"] for code, option in changed.currency_options.to_dict().items()} == {
        "eur": 450,
        "gbp": 400,
        "usd": 500,
    }


def test_a_coupon_may_be_for_certain_products(client: stripe.StripeClient) -> None:
    """`applies_to` is shown when it is asked for."""
    book = client.v1.products.create({"name": "E-book"})
    coupon = client.v1.coupons.create({"percent_off": 10, "applies_to": {"products": [book.id]}})

    shown = client.v1.coupons.retrieve(coupon.id, {"expand": ["applies_to"]})

    assert "applies_to" not in coupon
    assert shown.applies_to is not None
    assert shown.applies_to.products == [book.id]


def test_only_the_name_of_a_coupon_changes(client: stripe.StripeClient) -> None:
    """What it takes off was promised; the event tells what the name was."""
    coupon = client.v1.coupons.create({"percent_off": 10, "duration": "forever", "name": "Spring"})

    changed = client.v1.coupons.update(coupon.id, {"name": "Summer", "metadata": {"by": "ada"}})
    better: Any = {"percent_off": 20}
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.coupons.update(coupon.id, better)

    event = client.v1.events.list({"type": "coupon.updated"}).data[0]
    assert (changed.name, changed.percent_off) == ("Summer", 10)
    assert event.data.to_dict()["previous_attributes"] == {"name": "Spring", "metadata": {"by": None}}
    assert refused.value.user_message == "Received unknown parameter: percent_off"


def test_a_deleted_coupon_leaves_a_stub_and_its_id_is_free(client: stripe.StripeClient) -> None:
    """The event carries the coupon as it was."""
    client.v1.coupons.create({"id": "GONE", "percent_off": 10})

    stub = client.v1.coupons.delete("GONE")

    with pytest.raises(stripe.InvalidRequestError) as missed:
        client.v1.coupons.retrieve("GONE")
    assert stub.to_dict() == {"id": "GONE", "object": "coupon", "deleted": True}
    assert client.v1.events.list({"type": "coupon.deleted"}).data[0].data.object["percent_off"] == 10
    assert (missed.value.http_status, missed.value.user_message) == (404, "No such coupon: 'GONE'")
    assert client.v1.coupons.create({"id": "GONE", "percent_off": 20}).percent_off == 20


def test_a_coupon_is_not_valid_after_its_last_day(client: stripe.StripeClient, controls: Controls) -> None:
    """Nobody updated it, so nobody is told."""
    coupon = client.v1.coupons.create({"percent_off": 10, "redeem_by": int(time.time()) + DAY})

    controls.push(2 * DAY)

    assert (coupon.valid, client.v1.coupons.retrieve(coupon.id).valid) == (True, False)
    assert client.v1.events.list({"type": "coupon.updated"}).data == []


def test_coupons_are_listed_newest_first(client: stripe.StripeClient) -> None:
    """A page at a time, as all lists."""
    for name in ("FIRST", "SECOND", "THIRD"):
        client.v1.coupons.create({"id": name, "percent_off": 10})

    page = client.v1.coupons.list({"limit": 2})

    assert ([coupon.id for coupon in page.data], page.has_more) == (["THIRD", "SECOND"], True)


@pytest.mark.parametrize(
    ("params", "code", "param"),
    [
        ({}, None, None),
        ({"percent_off": 10, "amount_off": 100, "currency": "usd"}, None, None),
        ({"percent_off": 0}, None, "percent_off"),
        ({"percent_off": 100.5}, None, "percent_off"),
        ({"amount_off": 100}, "parameter_missing", "currency"),
        ({"amount_off": 0, "currency": "usd"}, "parameter_invalid_integer", "amount_off"),
        ({"amount_off": 100, "currency": "xxx"}, None, "currency"),
        ({"amount_off": 1001, "currency": "kwd"}, None, "amount_off"),
        ({"percent_off": 10, "currency_options": {"eur": {"amount_off": 1}}}, None, "currency_options"),
        (
            {"amount_off": 1, "currency": "usd", "currency_options": {"usd": {"amount_off": 1}}},
            None,
            "currency_options[usd]",
        ),
        ({"percent_off": 10, "duration": "repeating"}, "parameter_missing", "duration_in_months"),
        ({"percent_off": 10, "duration_in_months": 3}, None, "duration_in_months"),
        ({"percent_off": 10, "max_redemptions": 0}, "parameter_invalid_integer", "max_redemptions"),
        ({"percent_off": 10, "redeem_by": 1}, None, "redeem_by"),
        ({"percent_off": 10, "redeem_by": 4_102_444_800}, None, "redeem_by"),
        ({"percent_off": 10, "name": "n" * 41}, None, "name"),
        (
            {"percent_off": 10, "applies_to": {"products": ["prod_x"]}},
            "resource_missing",
            "applies_to[products][0]",
        ),
        ({"percent_off": 10, "id": "TAKEN"}, "resource_already_exists", "id"),
    ],
)
def test_a_coupon_that_cannot_be_is_refused(
    client: stripe.StripeClient, params: Any, code: str | None, param: str | None
) -> None:
    """Nothing off, too much off, or off for how long?"""
    client.v1.coupons.create({"id": "TAKEN", "percent_off": 10})

    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.coupons.create(params)

    assert (refused.value.http_status, refused.value.code, refused.value.param) == (400, code, param)
