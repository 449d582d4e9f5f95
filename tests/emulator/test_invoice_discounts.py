"""Invoices that are cheaper: discounts of the whole, and of single lines and items."""

from __future__ import annotations

import time
from typing import Any

import pytest
import stripe
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.emulator.controls import Controls
from tests.emulator.invoicing import customer, drafted, opened, refused
from tests.emulator.paying import events

DAY = 24 * 60 * 60


def coupon(client: stripe.StripeClient, **more: Any) -> str:
    """A coupon of 25 % unless told otherwise."""
    given: Any = {"currency": "usd", **more} if "amount_off" in more else {"percent_off": 25, **more}
    return client.v1.coupons.create(given).id


def code(client: stripe.StripeClient, coupon_id: str, **more: Any) -> str:
    """A promotion code for a coupon."""
    given: Any = {"promotion": {"type": "coupon", "coupon": coupon_id}, **more}
    return client.v1.promotion_codes.create(given).id


def item(client: stripe.StripeClient, invoice: stripe.Invoice, amount: int, **more: Any) -> stripe.InvoiceItem:
    """An item on a draft."""
    given: Any = {"customer": invoice.customer, "invoice": invoice.id, "amount": amount, "currency": "usd", **more}
    return client.v1.invoice_items.create(given)


def off(amounts: Any) -> list[int]:
    """What each discount takes off."""
    return [one.amount for one in amounts]


def shown(client: stripe.StripeClient, invoice: stripe.Invoice) -> Any:
    """An invoice with its discounts opened."""
    return client.v1.invoices.retrieve(
        invoice.id, {"expand": ["discounts", "lines.data.discounts", "total_discount_amounts.discount"]}
    )


def explained(invoice: Any) -> None:
    """Check that the lines explain the sums, to the cent."""
    lines = invoice.lines.data
    own = [
        sum(share.amount for share in line.discount_amounts if share.discount in [_id(one) for one in line.discounts])
        for line in lines
    ]
    taken = [sum(off(line.discount_amounts)) for line in lines]
    taxes = {
        behavior: sum(tax.amount for line in lines for tax in line.taxes if tax.tax_behavior == behavior)
        for behavior in ("exclusive", "inclusive")
    }
    left = sum(line.amount for line in lines) - sum(taken)
    assert invoice.subtotal == sum(line.amount for line in lines) - sum(own)
    assert sum(off(invoice.total_discount_amounts)) == sum(taken)
    assert off(invoice.total_pretax_credit_amounts) == off(invoice.total_discount_amounts)
    assert invoice.total == left + taxes["exclusive"]
    assert invoice.total_excluding_tax == left - taxes["inclusive"]
    assert sum(tax.amount for tax in invoice.total_taxes) == sum(taxes.values())
    assert all(0 <= less <= max(0, line.amount) for less, line in zip(taken, lines, strict=True))
    for line in lines:
        assert off(line.pretax_credit_amounts) == off(line.discount_amounts)
        assert all(tax.taxable_amount <= max(0, line.amount) for tax in line.taxes)


def _id(discount: Any) -> str:
    return str(discount if isinstance(discount, str) else discount.id)


def test_a_coupon_makes_an_invoice_cheaper(client: stripe.StripeClient) -> None:
    """The subtotal stays; each line tells its part, and the payment is less."""
    ada, quarter = customer(client), coupon(client)
    draft = drafted(client, ada, 1000, 668, discounts=[{"coupon": quarter}])

    invoice = client.v1.invoices.pay(draft.id)

    assert (invoice.subtotal, invoice.total, invoice.amount_paid, invoice.status) == (1668, 1251, 1251, "paid")
    assert [off(line.discount_amounts) for line in invoice.lines.data] == [[250], [167]]
    assert [line.discounts for line in invoice.lines.data] == [[], []]
    assert off(invoice.total_discount_amounts) == [417]
    explained(invoice)
    (discount,) = shown(client, invoice).discounts
    assert (discount.source.coupon, discount.customer, discount.invoice) == (quarter, ada.id, invoice.id)
    assert (discount.promotion_code, discount.end, discount.subscription) == (None, None, None)


def test_a_lines_own_discount_comes_first(client: stripe.StripeClient) -> None:
    """It is in the subtotal already; a percentage of the whole is of what it left."""
    draft = drafted(client, customer(client), discounts=[{"coupon": coupon(client, percent_off=10)}])
    item(client, draft, 2000, discounts=[{"coupon": coupon(client, amount_off=500)}])
    item(client, draft, 1000)

    invoice = shown(client, draft)

    assert (invoice.subtotal, invoice.total) == (2500, 2250)
    assert [off(line.discount_amounts) for line in invoice.lines.data] == [[500, 150], [100]]
    assert off(invoice.total_discount_amounts) == [500, 250]
    (own,) = invoice.lines.data[0].discounts
    assert own.invoice_item == invoice.lines.data[0].parent.invoice_item_details.invoice_item
    assert own.invoice is None


def test_several_discounts_apply_in_their_order(client: stripe.StripeClient) -> None:
    """$5 and then 10 % is not 10 % and then $5."""
    ada, five, tenth = customer(client), coupon(client, amount_off=500), coupon(client, percent_off=10)

    one, other = (
        drafted(client, ada, 2000, discounts=[{"coupon": given} for given in order])
        for order in ((five, tenth), (tenth, five))
    )

    assert (off(one.total_discount_amounts), one.total) == ([500, 150], 1350)
    assert (off(other.total_discount_amounts), other.total) == ([200, 500], 1300)


def test_only_what_a_coupon_is_for_gets_cheaper(client: stripe.StripeClient) -> None:
    """`applies_to` names products, `discountable: false` keeps out, and credits stay what they are."""
    book, pen = (client.v1.products.create({"name": name}).id for name in ("Book", "Pen"))
    draft = drafted(
        client,
        customer(client),
        discounts=[{"coupon": coupon(client, applies_to={"products": [book]})}, {"coupon": coupon(client)}],
    )
    priced: Any = [
        {"price_data": {"currency": "usd", "product": product, "unit_amount": 1000}} for product in (book, pen)
    ]
    client.v1.invoices.add_lines(
        draft.id, {"lines": [*priced, {"amount": 1000, "discountable": False}, {"amount": -300}]}
    )

    invoice = client.v1.invoices.retrieve(draft.id)

    assert [off(line.discount_amounts) for line in invoice.lines.data] == [[250, 188], [250], [], []]
    assert [line.discountable for line in invoice.lines.data] == [True, True, False, False]
    assert invoice.total == 2700 - 688
    explained(invoice)


def test_an_amount_takes_no_more_than_there_is(client: stripe.StripeClient) -> None:
    """What is too much is lost: nothing to pay, and no credit."""
    ada = customer(client)
    draft = drafted(client, ada, 1000, 500, -300, discounts=[{"coupon": coupon(client, amount_off=5000)}])

    invoice = client.v1.invoices.finalize_invoice(draft.id)

    assert (invoice.total, invoice.amount_due, invoice.status) == (0, 0, "paid")
    assert off(invoice.total_discount_amounts) == [1200]
    assert client.v1.customers.retrieve(ada.id).balance == 0
    assert client.v1.invoice_payments.list({"invoice": draft.id}).data == []


@pytest.mark.parametrize(("inclusive", "sums"), [(False, (1500, 1500, 1200, 1440)), (True, (1500, 1250, 1000, 1200))])
def test_taxes_are_on_what_is_left(
    client: stripe.StripeClient, inclusive: bool, sums: tuple[int, int, int, int]
) -> None:
    """On top of the amount, or inside it: after all discounts."""
    rate = client.v1.tax_rates.create({"display_name": "VAT", "percentage": 20, "inclusive": inclusive})
    draft = drafted(
        client,
        customer(client),
        default_tax_rates=[rate.id],
        discounts=[{"coupon": coupon(client, percent_off=20)}],
    )
    item(client, draft, 2000, discounts=[{"coupon": coupon(client, amount_off=500)}])

    invoice = client.v1.invoices.retrieve(draft.id)

    assert (
        invoice.subtotal,
        invoice.subtotal_excluding_tax,
        invoice.total_excluding_tax,
        invoice.total,
    ) == sums
    explained(invoice)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lines=st.lists(
        st.tuples(
            st.integers(-2000, 99_999),
            st.booleans(),
            st.sampled_from([(), ("tenth",), ("three",), ("three", "tenth")]),
        ),
        max_size=4,
    ),
    whole=st.lists(st.sampled_from(["tenth", "three", "odd", "large"]), max_size=3),
    rates=st.lists(st.sampled_from(["on_top", "inside"]), unique=True),
)
def test_lines_explain_the_total_to_the_cent(
    client: stripe.StripeClient, lines: list[tuple[int, bool, tuple[str, ...]]], whole: list[str], rates: list[str]
) -> None:
    """Whatever meets: discounts of lines and of the whole, credits, taxes on top and inside."""
    known = {
        "tenth": coupon(client, percent_off=10),
        "odd": coupon(client, percent_off=33.33),
        "three": coupon(client, amount_off=333),
        "large": coupon(client, amount_off=50_000),
    }
    taxes = {
        name: client.v1.tax_rates.create({"display_name": name, "percentage": 19, "inclusive": name == "inside"}).id
        for name in rates
    }
    draft = drafted(
        client,
        customer(client, None),
        discounts=[{"coupon": known[name]} for name in whole],
        default_tax_rates=list(taxes.values()),
    )
    for amount, discountable, own in lines:
        discounts: Any = [{"coupon": known[name]} for name in own]
        item(client, draft, amount, discountable=discountable, **({"discounts": discounts} if own else {}))

    invoice = client.v1.invoices.retrieve(draft.id)

    explained(invoice)


def test_discounts_of_a_draft_can_be_changed(client: stripe.StripeClient) -> None:
    """Kept by their id, replaced, or taken away; what is gone says that it is deleted."""
    draft = drafted(client, customer(client), 1000, discounts=[{"coupon": coupon(client)}])
    first: Any = draft.discounts[0]
    five = coupon(client, amount_off=100)

    both = client.v1.invoices.update(draft.id, {"discounts": [{"discount": first}, {"coupon": five}]})
    second: Any = both.discounts[1]
    one = client.v1.invoices.update(draft.id, {"discounts": [{"discount": second}]})
    none = client.v1.invoices.update(draft.id, {"discounts": ""})

    assert (both.discounts[0], both.total) == (first, 650)
    assert (one.discounts, one.total) == ([second], 900)
    assert (none.discounts, none.total, off(none.total_discount_amounts)) == ([], 1000, [])
    with refused("No such discount"):
        client.v1.invoices.update(draft.id, {"discounts": [{"discount": str(first)}]})


def test_discounts_of_an_item_follow_it(client: stripe.StripeClient) -> None:
    """From waiting onto the draft, and through every change."""
    ada = customer(client)
    waiting = client.v1.invoice_items.create(
        {"customer": ada.id, "amount": 1000, "currency": "usd", "discounts": [{"coupon": coupon(client)}]}
    )

    draft = client.v1.invoices.create({"customer": ada.id, "pending_invoice_items_behavior": "include"})
    more = client.v1.invoice_items.update(waiting.id, {"amount": 2000})
    dearer = client.v1.invoices.retrieve(draft.id)
    client.v1.invoice_items.update(waiting.id, {"discounts": ""})
    plain = client.v1.invoices.retrieve(draft.id)

    assert (draft.total, dearer.total, plain.total) == (750, 1500, 2000)
    assert more.discounts == waiting.discounts == draft.lines.data[0].discounts
    assert plain.lines.data[0].discounts == []


def test_lines_can_be_given_discounts(client: stripe.StripeClient) -> None:
    """As they are added, or later; their invoice items tell too."""
    draft, quarter = drafted(client, customer(client)), coupon(client)
    added = client.v1.invoices.add_lines(
        draft.id, {"lines": [{"amount": 1000, "discounts": [{"coupon": quarter}]}, {"amount": 600}]}
    )

    client.v1.invoices.line_items.update(draft.id, added.lines.data[1].id, {"discounts": [{"coupon": quarter}]})

    lines = client.v1.invoices.line_items.list(draft.id, {"expand": ["data.discounts"]}).data
    items = client.v1.invoice_items.list({"invoice": draft.id, "expand": ["data.discounts"]}).data
    assert added.total == 1350
    assert [off(line.discount_amounts) for line in lines] == [[250], [150]]
    assert [one.id for line in lines for one in line.discounts if not isinstance(one, str)] == [
        one.id for given in reversed(items) for one in given.discounts or () if not isinstance(one, str)
    ]


def test_a_promotion_code_leads_to_its_coupon(client: stripe.StripeClient) -> None:
    """The discount names both; expanded, they are there."""
    promotion = code(client, coupon(client, id="quarter"), code="JUNE")
    draft = drafted(client, customer(client), 1000, discounts=[{"promotion_code": promotion}])

    invoice: Any = client.v1.invoices.retrieve(
        draft.id, {"expand": ["discounts.source.coupon", "discounts.promotion_code"]}
    )

    (discount,) = invoice.discounts
    assert (discount.promotion_code.code, discount.source.coupon.id, invoice.total) == ("JUNE", "quarter", 750)


def test_a_redemption_counts_when_the_discount_is_given(client: stripe.StripeClient) -> None:
    """Twice to be had: for an invoice, for an item, and then for nobody, not even by a code."""
    ada, twice = customer(client), coupon(client, max_redemptions=2)
    promotion = code(client, twice)

    draft = drafted(client, ada, 1000, discounts=[{"promotion_code": promotion}])
    item(client, draft, 1000, discounts=[{"coupon": twice}])
    used = client.v1.coupons.retrieve(twice)

    assert (used.times_redeemed, used.valid) == (2, False)
    assert client.v1.promotion_codes.retrieve(promotion).times_redeemed == 1
    with refused("Coupon expired") as refusal:
        client.v1.invoices.create({"customer": ada.id, "discounts": [{"coupon": twice}]})
    assert (refusal.value.code, refusal.value.param) == ("coupon_expired", "discounts[0][coupon]")
    with refused("cannot be redeemed"):
        client.v1.invoices.create({"customer": ada.id, "discounts": [{"promotion_code": promotion}]})


def test_what_was_given_stays_given(client: stripe.StripeClient, controls: Controls) -> None:
    """A coupon that expires, or is deleted, takes nothing back from a draft that has it."""
    passing = coupon(client, redeem_by=int(time.time()) + DAY)
    gone = coupon(client, amount_off=50)
    ada = customer(client)
    draft = drafted(client, ada, 1000, discounts=[{"coupon": passing}, {"coupon": gone}])

    client.v1.coupons.delete(gone)
    controls.push(2 * DAY)
    invoice = client.v1.invoices.finalize_invoice(draft.id)

    assert (invoice.total, off(invoice.total_discount_amounts)) == (700, [250, 50])
    assert [one.source.coupon for one in shown(client, invoice).discounts] == [passing, gone]
    opened_up: Any = client.v1.invoices.retrieve(draft.id, {"expand": ["discounts.source.coupon"]}).discounts
    assert [one.source.coupon.times_redeemed for one in opened_up] == [1, 1]
    with refused("Coupon expired"):
        client.v1.invoices.create({"customer": ada.id, "discounts": [{"coupon": passing}]})
    with refused("No such coupon"):
        client.v1.invoices.create({"customer": ada.id, "discounts": [{"coupon": gone}]})


def test_restrictions_of_codes_are_kept(client: stripe.StripeClient) -> None:
    """Whose code it is, whether they paid before, and how much must be on the invoice."""
    ada, eve, quarter = customer(client), customer(client), coupon(client)
    hers = code(client, quarter, customer=ada.id)
    first = code(client, quarter, restrictions={"first_time_transaction": True})
    least = code(client, quarter, restrictions={"minimum_amount": 1000, "minimum_amount_currency": "usd"})
    small, large = drafted(client, eve, 999), drafted(client, ada, 1000)

    enough = client.v1.invoices.update(large.id, {"discounts": [{"promotion_code": least}]})
    own = client.v1.invoices.create({"customer": ada.id, "discounts": [{"promotion_code": hers}]})
    new = client.v1.invoices.create({"customer": ada.id, "discounts": [{"promotion_code": first}]})
    client.v1.invoices.pay(opened(client, ada, 500).id)

    assert (enough.total, len(own.discounts), len(new.discounts)) == (750, 1, 1)
    with refused("minimum amount"):
        client.v1.invoices.update(small.id, {"discounts": [{"promotion_code": least}]})
    with refused("another customer"):
        client.v1.invoices.update(small.id, {"discounts": [{"promotion_code": hers}]})
    with refused("prior transactions") as refusal:
        client.v1.invoices.create({"customer": ada.id, "discounts": [{"promotion_code": first}]})
    assert refusal.value.param == "discounts[0][promotion_code]"


@pytest.mark.parametrize(
    ("discounts", "code_", "param"),
    [
        ([{"coupon": "nothing"}], "resource_missing", "discounts[0][coupon]"),
        ([{"coupon": "half"}, {"promotion_code": "promo_x"}], "resource_missing", "discounts[1][promotion_code]"),
        ([{"discount": "di_x"}], "resource_missing", "discounts[0][discount]"),
        ([{"coupon": "half", "discount": "di_x"}], None, None),
        ([{"coupon": "euros"}], None, "discounts[0][coupon]"),
    ],
)
def test_a_discount_that_cannot_be_given_is_refused(
    client: stripe.StripeClient, discounts: Any, code_: str | None, param: str | None
) -> None:
    """Nothing is written then: no redemption, no draft."""
    ada = customer(client)
    half = coupon(client, id="half", percent_off=50)
    coupon(client, id="euros", amount_off=100, currency="eur")

    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.invoices.create({"customer": ada.id, "currency": "usd", "discounts": discounts})

    assert (refusal.value.code, refusal.value.param) == (code_, param)
    assert client.v1.coupons.retrieve(half).times_redeemed == 0
    assert client.v1.invoices.list().data == []


def test_what_is_finalized_keeps_its_discounts(client: stripe.StripeClient) -> None:
    """No more discounts, and none less."""
    invoice = opened(client, customer(client), 1000, discounts=[{"coupon": coupon(client)}])

    with refused("Finalized invoices can't be updated in this way") as refusal:
        client.v1.invoices.update(invoice.id, {"discounts": ""})
    assert refusal.value.param == "discounts"


def test_discounts_of_an_invoice_are_no_news_of_the_customer(client: stripe.StripeClient) -> None:
    """`customer.discount.*` is for what a customer has beyond one invoice."""
    draft = drafted(client, customer(client), 1000, discounts=[{"coupon": coupon(client)}])

    client.v1.invoices.update(draft.id, {"discounts": ""})

    assert not [told for told in events(client, "coupon.created") if told.startswith("customer.discount")]


def test_a_customer_has_no_discount_of_their_own(client: stripe.StripeClient) -> None:
    """No parameter gives one any more, so there is none to take away."""
    ada = customer(client)

    with refused("No active discount") as refusal:
        client.v1.customers.delete_discount(ada.id)

    assert (refusal.value.http_status, refusal.value.code, ada.discount) == (404, "resource_missing", None)
