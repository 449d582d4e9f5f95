"""Another plan on the portal: the choice, what it costs, and the change."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
import stripe

from tests.emulator.controls import Controls
from tests.emulator.invoicing import customer
from tests.emulator.pages.switching import opened
from tests.emulator.pages.test_portal_page import post, show
from tests.emulator.paying import events
from tests.emulator.portal import configured, path, session, switchable
from tests.emulator.subscribing import invoices, item, latest, price, subscribed
from tests.emulator.wire import Wire


def test_the_choice_shows_what_there_is(client: stripe.StripeClient, visitor: Wire) -> None:
    """The plan one has, first, and every other one with its price."""
    shop = opened(client, visitor)

    page = show(visitor, shop.at, f"/update?subscription={shop.subscription.id}")

    assert page.index("Basic") < page.index("Current plan") < page.index("$20.00 each per month")
    assert "$200.00 each per year" in page
    assert 'name="quantity"' in page
    assert 'name="code"' in page


def test_a_change_costs_what_its_preview_said(client: stripe.StripeClient, visitor: Wire, controls: Controls) -> None:
    """The same lines and the same amount, though the customer thinks about it for fifty minutes; the API's events."""
    shop = opened(client, visitor)
    shop.later(controls)

    page = shop.see()
    controls.push(50 * 60)
    preview = client.v1.invoices.create_preview(
        {
            "subscription": shop.subscription.id,
            "subscription_details": {
                "items": [{"id": item(shop.subscription).id, "price": shop.pro.id}],
                "proration_behavior": "always_invoice",
                "proration_date": int(re.findall(r'name="at" value="(\d+)"', page)[0]),
            },
        }
    )
    answer = shop.do(page)

    made = latest(client, shop.subscription)
    shown = f"${preview.amount_due // 100}.{preview.amount_due % 100:02}"
    assert f"Pay {shown} and change" in page
    assert "Unused time on" in page
    assert (answer.status, answer.headers["location"]) == (303, path(shop.at, "?told=changed"))
    assert (made.status, made.billing_reason, made.amount_paid) == ("paid", "subscription_update", preview.amount_due)
    assert shop.has() == (shop.pro.id, 1)
    told = events(client, "billing_portal.session.created")
    assert {"customer.subscription.updated", "invoice.created", "invoice.finalized", "invoice.paid"} <= set(told)


def test_an_amount_that_changed_is_shown_again(client: stripe.StripeClient, visitor: Wire, controls: Controls) -> None:
    """Nobody pays what they did not see."""
    shop = opened(client, visitor)

    page = shop.see()
    shop.later(controls)
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
    answer = post(visitor, shop.at, "/confirm", **fields)

    assert answer.status == 409
    assert b"The amount has changed" in answer.body
    assert shop.has()[0] != shop.pro.id


def test_prorations_may_wait_for_the_next_invoice(
    client: stripe.StripeClient, visitor: Wire, controls: Controls
) -> None:
    """`create_prorations`: nothing is due today, and the page says what will be."""
    shop = opened(client, visitor, proration_behavior="create_prorations")
    shop.later(controls)

    page = shop.see()
    shop.do(page)

    assert "Nothing is due today" in page
    assert shop.has() == (shop.pro.id, 1)
    assert len(invoices(client, shop.subscription)) == 1
    assert len(client.v1.invoice_items.list({"customer": shop.owner.id, "pending": True}).data) == 2


def test_a_change_may_be_free_until_the_renewal(client: stripe.StripeClient, visitor: Wire) -> None:
    """`none`: the new price counts from the next period on."""
    shop = opened(client, visitor, proration_behavior="none")

    page = shop.see()
    shop.do(page)

    assert "$20.00" in page
    assert shop.has() == (shop.pro.id, 1)
    assert client.v1.invoice_items.list({"customer": shop.owner.id}).data == []


def test_another_rhythm_is_billed_at_once(client: stripe.StripeClient, visitor: Wire) -> None:
    """From months to years, whatever becomes of prorations."""
    shop = opened(client, visitor, proration_behavior="create_prorations")

    page = shop.see(price=shop.yearly.id)
    shop.do(page)

    assert "Due today" in page
    assert shop.has() == (shop.yearly.id, 1)
    assert latest(client, shop.subscription).billing_reason == "subscription_update"


@pytest.mark.parametrize(
    ("quantity", "status", "words"),
    [
        ("3", 200, "Pro × 3"),
        ("21", 400, "greatest quantity"),
        ("0", 400, "least quantity"),
        ("two", 422, "whole number"),
    ],
)
def test_a_quantity_stays_within_its_bounds(
    client: stripe.StripeClient, visitor: Wire, quantity: str, status: int, words: str
) -> None:
    """What is wrong stands beside the field."""
    shop = opened(client, visitor)

    asked = f"/confirm?subscription={shop.subscription.id}&price={shop.pro.id}&quantity={quantity}"
    answer = visitor.get(path(shop.at, asked))

    assert answer.status == status
    assert words in answer.body.decode()


def test_a_quantity_is_changed(client: stripe.StripeClient, visitor: Wire) -> None:
    """With the plan, and then alone."""
    shop = opened(client, visitor)

    shop.change(quantity="3")
    shop.change(quantity="5")

    assert shop.has() == (shop.pro.id, 5)


def test_only_what_is_offered_can_be_had(client: stripe.StripeClient, visitor: Wire) -> None:
    """Neither a price that is not there nor one that is not for customers."""
    shop = opened(client, visitor)
    secret = price(client, 1)

    for asked in ("price_x", secret.id):
        answer = post(visitor, shop.at, "/confirm", seen="now 0", subscription=shop.subscription.id, price=asked)
        assert answer.status == 400

    assert shop.has() == (item(shop.subscription).price.id, 1)
    assert len(invoices(client, shop.subscription)) == 1


def test_a_declined_card_changes_nothing(client: stripe.StripeClient, visitor: Wire, controls: Controls) -> None:
    """The page says why; another card makes the same change."""
    shop = opened(client, visitor)
    shop.later(controls)
    bad = client.v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": shop.owner.id})
    settings = {"invoice_settings": {"default_payment_method": bad.id}}
    given: Any = settings
    client.v1.customers.update(shop.owner.id, given)

    declined = shop.change()
    between = shop.has()[0]
    post(visitor, shop.at, "/card", test_card="5555555555554444")
    shop.change()

    assert declined.status == 402
    assert b"declined" in declined.body
    assert b"Your plan was not changed." in declined.body
    assert between != shop.pro.id
    assert shop.has() == (shop.pro.id, 1)
    assert [status for _, status, _ in invoices(client, shop.subscription)] == ["paid", "paid"]


@pytest.mark.parametrize("answer", ["complete", "fail"])
def test_the_bank_may_ask_before_a_change(
    client: stripe.StripeClient, visitor: Wire, controls: Controls, answer: str
) -> None:
    """The change waits for the answer: made when it is paid, dropped with its invoice when it is not."""
    shop = opened(client, visitor)
    shop.later(controls)
    asking = client.v1.payment_methods.attach("pm_card_authenticationRequired", {"customer": shop.owner.id})
    given: Any = {"invoice_settings": {"default_payment_method": asking.id}}
    client.v1.customers.update(shop.owner.id, given)

    sent = shop.change()
    waiting = client.v1.subscriptions.retrieve(shop.subscription.id).pending_update
    bank = visitor.post(sent.headers["location"].removeprefix(visitor.url), f"answer={answer}")
    landed = visitor.get(bank.headers["location"].removeprefix(visitor.url))

    assert sent.status == 303
    assert "/3d_secure_2/hosted" in sent.headers["location"]
    assert waiting is not None
    after = client.v1.subscriptions.retrieve(shop.subscription.id)
    assert after.pending_update is None
    if answer == "complete":
        assert landed.headers["location"] == path(shop.at, "?told=changed")
        assert shop.has() == (shop.pro.id, 1)
        assert "customer.subscription.pending_update_applied" in events(client)
    else:
        assert "Your bank did not confirm the payment." in html.unescape(landed.body.decode())
        assert shop.has()[0] != shop.pro.id
        assert [status for _, status, _ in invoices(client, shop.subscription)] == ["paid", "void"]


def test_without_a_card_one_is_asked_for(client: stripe.StripeClient, visitor: Wire, controls: Controls) -> None:
    """Before anything is changed."""
    shop = opened(client, visitor)
    shop.later(controls)
    (method,) = client.v1.payment_methods.list({"customer": shop.owner.id}).data
    client.v1.payment_methods.detach(method.id)

    page = shop.see()

    assert "There is no card to charge yet." in page
    assert path(shop.at, "/card") in page
    assert 'name="seen"' not in page


@pytest.mark.parametrize(("behavior", "status"), [("end_trial", "active"), ("continue_trial", "trialing")])
def test_a_trial_ends_with_a_change_unless_it_goes_on(
    client: stripe.StripeClient, visitor: Wire, behavior: str, status: str
) -> None:
    """`trial_update_behavior`: the new plan is paid today, or the trial goes on with it."""
    shop = opened(client, visitor, given={"trial_period_days": 10}, trial_update_behavior=behavior)

    page = shop.see()
    shop.do(page)

    assert ("Pay $20.00 and change" in page) == (behavior == "end_trial")
    assert client.v1.subscriptions.retrieve(shop.subscription.id).status == status
    assert shop.has() == (shop.pro.id, 1)


def test_a_promotion_code_makes_it_cheaper(client: stripe.StripeClient, visitor: Wire) -> None:
    """With the plan; one that does not exist, or is over, is refused beside its field."""
    shop = opened(client, visitor, proration_behavior="none")
    coupon = client.v1.coupons.create({"percent_off": 50, "duration": "forever"})
    for code, more in (("HALF", {}), ("OVER", {"max_redemptions": 1})):
        given: Any = {"promotion": {"type": "coupon", "coupon": coupon.id}, "code": code, **more}
        client.v1.promotion_codes.create(given)
    subscribed(client, customer(client), discounts=[{"promotion_code": _promotion(client, "OVER")}])

    for wrong in ("NEVER", "OVER"):
        asked = f"/confirm?subscription={shop.subscription.id}&price={shop.pro.id}&code={wrong}"
        assert b'id="code-wrong"' in visitor.get(path(shop.at, asked)).body
    page = shop.see(code="half")
    shop.do(page)

    assert "$10.00" in page
    held = client.v1.subscriptions.retrieve(shop.subscription.id, {"expand": ["discounts"]})
    assert [one.to_dict()["source"]["coupon"] for one in held.discounts or () if not isinstance(one, str)] == [
        coupon.id
    ]


def _promotion(client: stripe.StripeClient, code: str) -> str:
    return client.v1.promotion_codes.list({"code": code}).data[0].id


def test_a_second_click_changes_nothing_more(client: stripe.StripeClient, visitor: Wire) -> None:
    """The change is made and paid once, and both clicks lead home; so it is with a cancellation."""
    shop = opened(client, visitor)
    page = shop.see()

    clicks = [shop.do(page).headers["location"] for _ in range(2)]
    left = [post(visitor, shop.at, f"/cancel?subscription={shop.subscription.id}") for _ in range(2)]

    assert clicks == [path(shop.at, "?told=changed")] * 2
    assert len(invoices(client, shop.subscription)) == 2
    assert [answer.status for answer in left] == [303, 409]
    assert b"Ends on" in left[1].body


def test_a_change_starts_a_new_period_where_the_configuration_says_so(
    client: stripe.StripeClient, visitor: Wire, controls: Controls
) -> None:
    """`billing_cycle_anchor: now`."""
    shop = opened(client, visitor, billing_cycle_anchor="now")
    shop.later(controls)

    shop.change()

    held = client.v1.subscriptions.retrieve(shop.subscription.id)
    assert held.billing_cycle_anchor > shop.subscription.billing_cycle_anchor
    assert shop.has() == (shop.pro.id, 1)


def test_where_there_is_nothing_to_choose_nothing_is_offered(client: stripe.StripeClient, visitor: Wire) -> None:
    """Plans may be changed, and there is no other."""
    owner = customer(client)
    subscription = subscribed(client, owner)
    features = switchable(default_allowed_updates=["price"], products=[])
    at = session(client, owner, configuration=configured(client, features))

    assert "Change plan" not in show(visitor, at)
    assert visitor.get(path(at, f"/update?subscription={subscription.id}")).status == 404


def test_a_plan_that_is_no_longer_sold_is_not_offered(client: stripe.StripeClient, visitor: Wire) -> None:
    """Archived after the configuration was made; so are prices in another currency."""
    shop = opened(client, visitor)
    client.v1.prices.update(shop.pro.id, {"active": False})

    page = show(visitor, shop.at, f"/update?subscription={shop.subscription.id}")

    assert shop.pro.id not in page
    assert shop.yearly.id in page
