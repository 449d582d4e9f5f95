"""Expansion: objects in the place of their ids."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from paydesk.emulator.kernel import contract
from paydesk.emulator.kernel.expand import DEPTH_MAX
from tests.emulator.paying import pay
from tests.emulator.wire import Wire

TOO_DEEP = "data.product.default_price.product.default_price"


@pytest.fixture
def price(client: stripe.StripeClient) -> str:
    """The default price of a product."""
    product = client.v1.products.create({"name": "E-book", "default_price_data": {"currency": "usd", "unit_amount": 1}})
    return str(product.default_price)


def test_an_id_becomes_its_object(client: stripe.StripeClient, price: str) -> None:
    """One part of the path for each step; going round is going on."""
    shown = client.v1.prices.retrieve(price, {"expand": ["product.default_price.product"]}).to_dict()

    assert shown["product"]["default_price"]["id"] == price
    assert shown["product"]["default_price"]["product"]["default_price"] == price


def test_objects_of_a_list_are_expanded_one_by_one(client: stripe.StripeClient, price: str) -> None:
    """Behind `data`, on lists and searches."""
    listed = client.v1.prices.list({"expand": ["data.product"]}).to_dict()
    found = client.v1.prices.search({"query": 'currency:"usd"', "expand": ["data.product"]}).to_dict()

    assert [item["product"]["name"] for item in listed["data"]] == ["E-book"]
    assert [item["product"]["name"] for item in found["data"]] == ["E-book"]


def test_answers_to_writes_expand_too(client: stripe.StripeClient, price: str) -> None:
    """Create and update take `expand` as reading does."""
    updated = client.v1.prices.update(price, {"nickname": "Launch", "expand": ["product"]}).to_dict()

    assert updated["product"]["name"] == "E-book"


def test_an_expanded_answer_changes_nothing(client: stripe.StripeClient, price: str) -> None:
    """It is a view: afterwards, and in the event, the id is an id."""
    client.v1.prices.update(price, {"nickname": "Launch", "expand": ["product"]})

    assert isinstance(client.v1.prices.retrieve(price).product, str)
    assert isinstance(client.v1.events.list({"type": "price.updated"}).data[0].data.object["product"], str)


def test_a_deleted_object_is_expanded_to_its_stub(client: stripe.StripeClient) -> None:
    """What was there once is not nothing."""
    customer = client.v1.customers.create()
    intent = client.v1.payment_intents.create({"amount": 1900, "currency": "usd", "customer": customer.id})
    client.v1.customers.delete(customer.id)

    shown = client.v1.payment_intents.retrieve(intent.id, {"expand": ["customer"]}).to_dict()

    assert shown["customer"] == {"id": customer.id, "object": "customer", "deleted": True}


def test_a_movement_of_money_is_expanded_to_what_caused_it(client: stripe.StripeClient) -> None:
    """A charge, a refund, a dispute: whichever it was."""
    intent = pay(client, "pm_card_visa", capture_method="automatic")
    pay(client, "pm_card_createDispute", capture_method="automatic")
    client.v1.refunds.create({"payment_intent": intent.id})

    listed = client.v1.balance_transactions.list({"expand": ["data.source.payment_intent"]}).to_dict()["data"]

    caused_by = {booked["source"]["object"]: booked["source"]["payment_intent"]["object"] for booked in listed}
    assert caused_by == dict.fromkeys(("charge", "dispute", "refund"), "payment_intent")


def test_whatever_the_sdk_calls_expandable_can_be_asked_for(client: stripe.StripeClient, wire: Wire) -> None:
    """Also where there is never anything here, such as a review or a connected account."""
    intent = pay(client, "pm_card_createDispute", capture_method="automatic")
    client.v1.setup_intents.create()
    client.v1.checkout.sessions.create({"mode": "setup", "currency": "usd", "success_url": "http://127.0.0.1:9/"})
    shown: dict[str, dict[str, Any]] = {}
    for path in (
        "payment_intents",
        "charges",
        "setup_intents",
        "checkout/sessions",
        "disputes",
        "balance_transactions",
    ):
        shown[path] = wire.get(f"/v1/{path}").value["data"][0]
    shown["payment_methods"] = wire.get(f"/v1/payment_methods/{intent.payment_method}").value

    refused = [
        (path, name)
        for path, found in shown.items()
        for name in contract.expandable(found["object"])
        if wire.get(f"/v1/{path}/{found['id']}?expand[]={name}").status != 200 and name.count(".") < DEPTH_MAX
    ]

    assert refused == []


@pytest.mark.parametrize(
    ("path", "expand", "sentence", "code"),
    [
        ("/v1/prices/{price}", "currency", "This property cannot be expanded (currency).", None),
        ("/v1/prices/{price}", "nothing", "This property cannot be expanded because it doesn't exist: nothing.", None),
        (
            "/v1/prices",
            "product",
            "This property cannot be expanded (product). You may want to try expanding 'data.product' instead.",
            None,
        ),
        ("/v1/prices", "total_count", "This property cannot be included (total_count)", None),
        (
            "/v1/prices",
            TOO_DEEP,
            f"You cannot expand more than 4 levels of a property. Property: {TOO_DEEP}",
            "property_expansion_max_depth",
        ),
    ],
)
def test_a_path_that_leads_nowhere_is_refused(
    wire: Wire, price: str, path: str, expand: str, sentence: str, code: str | None
) -> None:
    """Its first part must be something that can be expanded, and it must not be too long."""
    reply = wire.get(f"{path.format(price=price)}?expand[]={expand}")

    assert reply.status == 400
    assert (reply.error["message"], reply.error.get("code")) == (sentence, code)
    assert "doc_url" not in reply.error


@pytest.mark.parametrize("expand", ["product.nothing", "product.name.more", "product.default_price.currency.x"])
def test_only_the_first_part_of_a_path_must_exist(wire: Wire, price: str, expand: str) -> None:
    """As at Stripe: what is further down and not there is left out."""
    assert wire.get(f"/v1/prices/{price}?expand[]={expand}").value["product"]["name"] == "E-book"


def test_a_refused_expansion_writes_nothing(client: stripe.StripeClient) -> None:
    """The answer could not be given, so the work is undone."""
    params: Any = {"email": "ada@example.com", "expand": ["nothing"]}

    with pytest.raises(stripe.InvalidRequestError):
        client.v1.customers.create(params)

    assert client.v1.customers.list().data == []
    assert client.v1.events.list().data == []
