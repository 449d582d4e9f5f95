"""Products: what is sold."""

from __future__ import annotations

from typing import Any, cast

import pytest
import stripe


def events(client: stripe.StripeClient) -> list[str]:
    """What happened in the sandbox, oldest first."""
    return [str(event.type) for event in client.v1.events.list({"limit": 100}).data][::-1]


def refusal(error: pytest.ExceptionInfo[stripe.InvalidRequestError]) -> tuple[int | None, str | None, str | None, str]:
    """Status, code, param and sentence of a refusal."""
    return error.value.http_status, error.value.code, error.value.param, str(error.value.user_message)


def test_a_product_begins_with_stripes_defaults(client: stripe.StripeClient) -> None:
    """A name is enough; it is trimmed, and so are the names of features."""
    product = client.v1.products.create({"name": "  E-book "}).to_dict()
    other = client.v1.products.create({"name": "Poster", "marketing_features": [{"name": " Large "}]}).to_dict()

    assert product["name"] == "E-book"
    assert (product["active"], product["type"], product["default_price"]) == (True, "service", None)
    assert (product["images"], product["marketing_features"], product["metadata"]) == ([], [], {})
    assert other["marketing_features"] == [{"name": "Large"}]
    assert product["updated"] == product["created"]


def test_a_product_can_be_made_with_its_price(client: stripe.StripeClient) -> None:
    """`default_price_data` makes the price as well, and both are told of."""
    product = client.v1.products.create(
        {
            "name": "Pro",
            "default_price_data": {"currency": "usd", "unit_amount": 2900, "recurring": {"interval": "month"}},
            "expand": ["default_price"],
        }
    )

    price = product.default_price
    assert isinstance(price, stripe.Price)
    assert (price.product, price.unit_amount, price.type) == (product.id, 2900, "recurring")
    assert events(client) == ["product.created", "plan.created", "price.created"]


def test_a_mistake_in_the_price_makes_no_product_either(client: stripe.StripeClient) -> None:
    """One request is one thing: all of it happens, or nothing. The param is named where it stands."""
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.products.create({"name": "Pro", "default_price_data": {"currency": "usd", "unit_amount": -1}})

    assert refusal(refused)[2:] == ("default_price_data[unit_amount]", "Invalid non-negative integer")
    assert client.v1.products.list().data == []


def test_a_product_may_have_an_id_of_its_own(client: stripe.StripeClient) -> None:
    """Until it is taken; after a deletion it is free again."""
    client.v1.products.create({"id": "ebook", "name": "E-book"})

    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.products.create({"id": "ebook", "name": "Another"})
    client.v1.products.delete("ebook")
    again = client.v1.products.create({"id": "ebook", "name": "Another"})

    assert refusal(refused) == (400, "resource_already_exists", "id", "Product already exists.")
    assert client.v1.products.retrieve("ebook").name == again.name == "Another"


@pytest.mark.parametrize(
    "params",
    [
        {"name": ""},
        {"name": "   "},
        {"name": "E-book", "marketing_features": [{"name": " "}]},
        {"name": "E-book", "marketing_features": [{"name": str(number)} for number in range(16)]},
        {"name": "E-book", "marketing_features": [{"name": "x" * 81}]},
        {"name": "E-book", "images": [f"https://example.com/{number}.png" for number in range(9)]},
        {"name": "E-book", "statement_descriptor": "twenty-three characters"},
    ],
)
def test_a_product_that_cannot_be_is_refused(client: stripe.StripeClient, params: Any) -> None:
    """Blank names, and more than Stripe takes."""
    product = client.v1.products.create({"name": "E-book"}).id

    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.products.create(params)
    with pytest.raises(stripe.InvalidRequestError) as refused_later:
        client.v1.products.update(product, params)

    assert refused.value.http_status == refused_later.value.http_status == 400
    assert client.v1.products.retrieve(product).name == "E-book"


def test_an_update_tells_when_the_product_was_updated_before(client: stripe.StripeClient) -> None:
    """`previous_attributes` always hold `updated`, even for a second update within the second."""
    product = client.v1.products.create({"name": "E-book", "metadata": {"shelf": "1"}})

    client.v1.products.update(product.id, {"name": " Better e-book ", "metadata": {"shelf": "2"}})
    client.v1.products.update(product.id, {"name": "Better e-book"})

    assert events(client) == ["product.created", "product.updated"]
    changed = client.v1.events.list({"type": "product.updated"}).data[0].data.to_dict()
    assert changed["previous_attributes"] == {
        "metadata": {"shelf": "1"},
        "name": "E-book",
        "updated": product.updated,
    }


def test_an_update_unsets_what_it_sends_empty(client: stripe.StripeClient) -> None:
    """Lists become empty, texts null."""
    product = client.v1.products.create(
        {
            "name": "E-book",
            "description": "Long",
            "images": ["https://example.com/1.png"],
            "marketing_features": [{"name": "Words"}],
            "url": "https://example.com",
            "tax_details": {"tax_code": "txcd_10000000"},
        }
    )

    updated = client.v1.products.update(
        product.id, {"description": "", "images": "", "marketing_features": "", "url": "", "tax_details": ""}
    )

    assert (updated.description, updated.url, updated.tax_details) == (None, None, None)
    assert (updated.images, updated.marketing_features) == ([], [])


def test_the_default_price_is_one_of_the_products_own(client: stripe.StripeClient) -> None:
    """Of this product, existing and active; another one is named in the refusal."""
    product = client.v1.products.create({"name": "E-book"})
    other = client.v1.products.create({"name": "Poster", "default_price_data": {"currency": "usd", "unit_amount": 900}})
    price = client.v1.prices.create({"currency": "usd", "unit_amount": 1900, "product": product.id})

    updated = client.v1.products.update(product.id, {"default_price": price.id})
    told = client.v1.events.list({"type": "product.updated"}).data[0].data.to_dict()
    with pytest.raises(stripe.InvalidRequestError) as not_its_own:
        client.v1.products.update(product.id, {"default_price": str(other.default_price)})
    with pytest.raises(stripe.InvalidRequestError) as unknown:
        client.v1.products.update(product.id, {"default_price": "price_nothing"})

    assert updated.default_price == price.id
    assert told["previous_attributes"] == {"default_price": None, "updated": product.updated}
    assert refusal(not_its_own)[2:] == (
        "default_price",
        f"The price `{other.default_price}` does not belong to this product.",
    )
    assert refusal(unknown) == (400, "resource_missing", "default_price", "No such price: 'price_nothing'")


def test_a_product_with_prices_is_archived_and_not_deleted(client: stripe.StripeClient) -> None:
    """What was sold once stays explainable; archiving takes it off the shelf."""
    product = client.v1.products.create({"name": "E-book"})
    client.v1.prices.create({"currency": "usd", "unit_amount": 1900, "product": product.id})

    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.products.delete(product.id)
    archived = client.v1.products.update(product.id, {"active": False})

    assert refusal(refused) == (
        400,
        None,
        None,
        "This product cannot be deleted because it has one or more user-created prices.",
    )
    assert archived.active is False


def test_a_deleted_product_is_gone(client: stripe.StripeClient) -> None:
    """The answer is a stub, the event the whole product, and afterwards there is none."""
    product = client.v1.products.create({"name": "E-book"})

    stub = client.v1.products.delete(product.id)

    assert stub.to_dict() == {"id": product.id, "object": "product", "deleted": True}
    assert client.v1.events.list({"type": "product.deleted"}).data[0].data.object["name"] == "E-book"
    with pytest.raises(stripe.InvalidRequestError) as gone:
        client.v1.products.retrieve(product.id)
    assert refusal(gone) == (404, "resource_missing", "id", f"No such product: '{product.id}'")


def test_lists_are_narrowed(client: stripe.StripeClient) -> None:
    """By state, kind and ids."""
    book = client.v1.products.create({"name": "E-book", "url": "https://example.com/book"})
    poster = client.v1.products.create({"name": "Poster", "type": "good", "shippable": True})
    old = client.v1.products.create({"name": "Old", "active": False})

    def ids(**narrowed: Any) -> list[str]:
        return [product.id for product in client.v1.products.list(cast("Any", narrowed)).data]

    assert ids() == [old.id, poster.id, book.id]
    assert ids(active=True) == [poster.id, book.id]
    assert ids(active=True, type="good") == [poster.id]
    assert ids(ids=[book.id, old.id, "prod_nothing"]) == [old.id, book.id]
    assert ids(ids=[book.id, old.id], active=False) == [old.id]
    assert ids(url="https://example.com/book") == [book.id]
    assert ids(shippable=True) == [poster.id]


def test_products_are_found_by_what_they_hold(client: stripe.StripeClient) -> None:
    """Search by name, state and metadata."""
    client.v1.products.create({"name": "Poster"})
    book = client.v1.products.create({"name": "E-book", "metadata": {"sku": "ebook"}})

    found = client.v1.products.search({"query": 'active:"true" AND name~"book" AND metadata["sku"]:"ebook"'})

    assert [product.id for product in found.data] == [book.id]
