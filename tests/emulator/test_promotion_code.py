"""Promotion codes: what a customer types to get a coupon."""

from __future__ import annotations

import time
from typing import Any

import pytest
import stripe

from tests.emulator.controls import Controls

DAY = 24 * 60 * 60


@pytest.fixture
def coupon(client: stripe.StripeClient) -> str:
    """A coupon that can be had ten times."""
    return client.v1.coupons.create({"id": "quarter", "percent_off": 25, "max_redemptions": 10}).id


def made(client: stripe.StripeClient, coupon: str, **more: Any) -> stripe.PromotionCode:
    """A promotion code for a coupon."""
    given: Any = {"promotion": {"type": "coupon", "coupon": coupon}, **more}
    return client.v1.promotion_codes.create(given)


def refused(client: stripe.StripeClient, coupon: str, **more: Any) -> stripe.InvalidRequestError:
    """How a promotion code is refused."""
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        made(client, coupon, **more)
    assert refusal.value.http_status == 400
    return refusal.value


def test_a_code_leads_to_its_coupon(client: stripe.StripeClient, coupon: str) -> None:
    """The coupon is named below `promotion`, and can be expanded there."""
    code = made(client, coupon, code="SPRING25", expand=["promotion.coupon"])

    assert isinstance(code.promotion.coupon, stripe.Coupon)
    assert (code.promotion.type, code.promotion.coupon.percent_off) == ("coupon", 25)
    assert (code.code, code.active, code.times_redeemed) == ("SPRING25", True, 0)
    assert code.restrictions.to_dict() == {
        "first_time_transaction": False,
        "minimum_amount": None,
        "minimum_amount_currency": None,
    }
    assert [event.type for event in client.v1.events.list().data] == ["promotion_code.created", "coupon.created"]


def test_a_code_is_made_up_where_nobody_chose_one(client: stripe.StripeClient, coupon: str) -> None:
    """Eight capitals and digits, easy to type."""
    code = made(client, coupon).code

    assert len(code) == 8
    assert code.isalnum()
    assert code == code.upper()


def test_a_text_is_one_active_code_however_it_is_spelled(client: stripe.StripeClient, coupon: str) -> None:
    """Switched off, it frees its text, and cannot be switched on again while another one has it."""
    first = made(client, coupon, code="Spring25")

    taken = refused(client, coupon, code="SPRING25")
    client.v1.promotion_codes.update(first.id, {"active": False})
    second = made(client, coupon, code="SPRING25")
    with pytest.raises(stripe.InvalidRequestError) as again:
        client.v1.promotion_codes.update(first.id, {"active": True})

    assert taken.user_message == "An active promotion code with `code: SPRING25` already exists."
    assert second.active
    assert again.value.user_message == "An active promotion code with `code: Spring25` already exists."


def test_two_customers_may_have_codes_of_one_text(client: stripe.StripeClient, coupon: str) -> None:
    """Each finds only theirs; a code for everybody would be in the way of both."""
    ada, bob = (client.v1.customers.create({"email": f"{name}@example.com"}).id for name in ("ada", "bob"))

    made(client, coupon, code="FRIEND", customer=ada)
    made(client, coupon, code="FRIEND", customer=bob)

    refused(client, coupon, code="FRIEND", customer=ada)
    refused(client, coupon, code="FRIEND")
    assert [code.customer for code in client.v1.promotion_codes.list({"code": "friend", "customer": ada}).data] == [ada]


def test_codes_are_found_by_what_they_are(client: stripe.StripeClient, coupon: str) -> None:
    """By their text in any spelling, by their coupon, by whether they can be used."""
    other = client.v1.coupons.create({"percent_off": 5}).id
    spring = made(client, coupon, code="Spring")
    autumn = made(client, other, code="AUTUMN", active=False)

    def found(**by: Any) -> list[str]:
        params: Any = by
        return [code.id for code in client.v1.promotion_codes.list(params).data]

    assert found(code="SPRING") == [spring.id]
    assert found(code="spring", active=True) == [spring.id]
    assert found(coupon=other) == [autumn.id]
    assert found(active=False) == [autumn.id]
    assert found(code="WINTER") == []


def test_a_code_ends_when_its_time_or_its_coupon_does(
    client: stripe.StripeClient, coupon: str, controls: Controls
) -> None:
    """It is active only as long as it can be redeemed."""
    now = int(time.time())
    passing = client.v1.coupons.create({"percent_off": 5, "redeem_by": now + DAY}).id
    codes = {
        "expired": made(client, coupon, expires_at=now + DAY),
        "its coupon lapsed": made(client, passing),
        "its coupon was deleted": made(client, client.v1.coupons.create({"id": "gone", "percent_off": 5}).id),
        "still good": made(client, coupon),
    }

    client.v1.coupons.delete("gone")
    controls.push(2 * DAY)

    active = {why: client.v1.promotion_codes.retrieve(code.id).active for why, code in codes.items()}
    assert all(code.active for code in codes.values())
    assert active == {
        "expired": False,
        "its coupon lapsed": False,
        "its coupon was deleted": False,
        "still good": True,
    }
    with pytest.raises(stripe.InvalidRequestError) as again:
        client.v1.promotion_codes.update(codes["expired"].id, {"active": True})
    assert again.value.param == "active"


def test_a_new_coupon_of_an_old_id_revives_no_codes(client: stripe.StripeClient, coupon: str) -> None:
    """They promised the coupon that was deleted."""
    code = made(client, coupon)

    client.v1.coupons.delete(coupon)
    client.v1.coupons.create({"id": coupon, "percent_off": 100})
    with pytest.raises(stripe.InvalidRequestError) as again:
        client.v1.promotion_codes.update(code.id, {"active": True})

    assert again.value.param == "active"
    assert not client.v1.promotion_codes.retrieve(code.id).active


def test_restrictions_come_with_the_code(client: stripe.StripeClient, coupon: str) -> None:
    """From which amount on, in which currency; further currencies are shown when they are asked for."""
    restrictions = {
        "first_time_transaction": True,
        "minimum_amount": 5000,
        "minimum_amount_currency": "USD",
        "currency_options": {"EUR": {"minimum_amount": 4500}},
    }

    code = made(client, coupon, restrictions=restrictions, expand=["restrictions.currency_options"])

    shown = code.restrictions
    assert shown.currency_options is not None
    assert (shown.minimum_amount, shown.minimum_amount_currency, shown.first_time_transaction) == (5000, "usd", True)
    assert shown.currency_options["eur"].minimum_amount == 4500
    assert "currency_options" not in client.v1.promotion_codes.retrieve(code.id).restrictions


def test_switching_a_code_off_is_told(client: stripe.StripeClient, coupon: str) -> None:
    """Metadata merges, and the event says what was before."""
    code = made(client, coupon, metadata={"channel": "mail"})

    off = client.v1.promotion_codes.update(code.id, {"active": False, "metadata": {"by": "ada"}})

    event = client.v1.events.list({"type": "promotion_code.updated"}).data[0]
    assert off.metadata is not None
    assert (off.active, off.metadata.to_dict()) == (False, {"channel": "mail", "by": "ada"})
    assert event.data.to_dict()["previous_attributes"] == {"active": True, "metadata": {"by": None}}


@pytest.mark.parametrize(
    ("changes", "code", "param"),
    [
        ({"promotion": {"type": "coupon"}}, "parameter_missing", "promotion[coupon]"),
        ({"promotion": {"type": "coupon", "coupon": "nothing"}}, "resource_missing", "promotion[coupon]"),
        ({"percent_off": 5}, "parameter_unknown", "percent_off"),
        ({"code": "10 % OFF"}, None, "code"),
        ({"customer": "cus_x"}, "resource_missing", "customer"),
        ({"expires_at": 1}, None, "expires_at"),
        ({"max_redemptions": 11}, None, "max_redemptions"),
        ({"restrictions": {"minimum_amount": 5}}, "parameter_missing", "restrictions[minimum_amount_currency]"),
        ({"restrictions": {"minimum_amount_currency": "usd"}}, "parameter_missing", "restrictions[minimum_amount]"),
        (
            {"restrictions": {"currency_options": {"eur": {"minimum_amount": 5}}}},
            None,
            "restrictions[currency_options][eur]",
        ),
    ],
)
def test_a_code_that_cannot_be_is_refused(
    client: stripe.StripeClient, coupon: str, changes: Any, code: str | None, param: str
) -> None:
    """It promises no more than its coupon."""
    refusal = refused(client, coupon, **changes)

    assert (refusal.code, refusal.param) == (code, param)
