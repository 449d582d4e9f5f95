"""Tokens and the cards made from them: how servers took payments before payment methods, and still may."""

from __future__ import annotations

from typing import Any

import pytest
import stripe


def test_a_token_is_good_for_one_use(client: stripe.StripeClient) -> None:
    """The second use is refused by name."""
    token = client.v1.tokens.create(
        {
            "card": {
                "number": "5555555555554444",
                "exp_month": "12",
                "exp_year": "2040",
                "cvc": "123",
                "address_zip": "10",
            }
        }
    )

    method = client.v1.payment_methods.create({"type": "card", "card": {"token": token.id}})

    assert method.card is not None
    assert (method.card.brand, method.card.last4) == ("mastercard", "4444")
    assert method.billing_details.address is not None
    assert method.billing_details.address.postal_code == "10"
    assert client.v1.tokens.retrieve(token.id).used is True
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.payment_methods.create({"type": "card", "card": {"token": token.id}})
    assert (refusal.value.code, refusal.value.param) == ("token_already_used", "card[token]")


@pytest.mark.parametrize(("field", "value"), [("exp_month", "9" * 5000), ("exp_year", "9" * 5000), ("exp_year", "x")])
def test_no_length_of_digits_is_a_date(client: stripe.StripeClient, field: str, value: str) -> None:
    """Stripe's refusal, whatever was typed."""
    card: Any = {"number": "4242424242424242", "exp_month": "12", "exp_year": "2040", field: value}

    with pytest.raises(stripe.CardError, match="expiration"):
        client.v1.tokens.create({"card": card})


def test_a_magic_token_is_good_for_ever(client: stripe.StripeClient) -> None:
    """`tok_visa` makes a new payment method each time."""
    first, second = (
        client.v1.payment_methods.create({"type": "card", "card": {"token": "tok_visa"}}) for _ in range(2)
    )

    assert first.id != second.id


def test_a_customer_can_keep_a_card_as_its_source(client: stripe.StripeClient) -> None:
    """The first one kept is the default; deleting it hands that on."""
    customer = client.v1.customers.create()
    first = client.v1.customers.payment_sources.create(customer.id, {"source": "tok_visa"})
    second = client.v1.customers.payment_sources.create(customer.id, {"source": "tok_mastercard"})
    assert client.v1.customers.retrieve(customer.id).default_source == first.id

    client.v1.customers.payment_sources.delete(customer.id, first.id)

    assert client.v1.customers.retrieve(customer.id).default_source == second.id
    assert [source.id for source in client.v1.customers.payment_sources.list(customer.id).data] == [second.id]


def test_a_source_has_metadata_of_its_own(client: stripe.StripeClient) -> None:
    """As every kept object has."""
    customer = client.v1.customers.create()
    params: Any = {"source": "tok_visa", "metadata": {"a": "1", "b": ""}}

    source: Any = client.v1.customers.payment_sources.create(customer.id, params)

    assert source.metadata.to_dict() == {"a": "1"}


def test_a_declining_card_is_not_kept(client: stripe.StripeClient) -> None:
    """The bank is asked before the card is saved."""
    customer = client.v1.customers.create()

    with pytest.raises(stripe.CardError) as refusal:
        client.v1.customers.payment_sources.create(customer.id, {"source": "tok_chargeDeclined"})

    assert refusal.value.code == "card_declined"
    assert client.v1.customers.retrieve(customer.id).default_source is None
