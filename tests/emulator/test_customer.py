"""Customers: who pays."""

from __future__ import annotations

import pytest
import stripe


def test_a_customer_is_kept_with_what_was_said_of_it(client: stripe.StripeClient) -> None:
    """What was created can be read back, from another connection too."""
    created = client.v1.customers.create({"email": "ada@example.com", "metadata": {"plan": "pro"}})

    read = client.v1.customers.retrieve(created.id)

    assert read.to_dict().items() >= {"email": "ada@example.com", "metadata": {"plan": "pro"}}.items()


def test_a_customer_has_the_names_it_was_given(client: stripe.StripeClient) -> None:
    """A business and an individual name are there when somebody gave them, and gone when they are taken back."""
    plain = client.v1.customers.create({"name": "Ada"})
    named = client.v1.customers.create({"business_name": "Analytical Engines", "individual_name": "Ada Lovelace"})

    assert "business_name" not in plain
    assert (named["business_name"], named["individual_name"]) == ("Analytical Engines", "Ada Lovelace")
    changed = client.v1.customers.update(named.id, {"business_name": "", "individual_name": "Ada King"})
    assert "business_name" not in changed
    assert changed["individual_name"] == "Ada King"


def test_an_update_changes_only_what_it_sends(client: stripe.StripeClient) -> None:
    """Metadata merges key by key, an address part by part, and an empty value unsets."""
    customer = client.v1.customers.create(
        {"name": "Ada", "metadata": {"a": "1", "b": "2"}, "address": {"city": "London", "country": "GB"}}
    )

    updated = client.v1.customers.update(
        customer.id, {"name": "", "metadata": {"b": "", "c": "3"}, "address": {"city": "Turin"}}
    )

    assert updated.name is None
    assert updated.to_dict()["metadata"] == {"a": "1", "c": "3"}
    assert updated.address is not None
    assert (updated.address.city, updated.address.country) == ("Turin", "GB")


def test_an_update_tells_what_was_before(client: stripe.StripeClient) -> None:
    """`previous_attributes` hold the old values of what changed, and nothing else."""
    customer = client.v1.customers.create({"name": "Ada", "metadata": {"a": "1"}})

    client.v1.customers.update(customer.id, {"name": "Ada L.", "metadata": {"b": "2"}})

    event = client.v1.events.list({"type": "customer.updated"}).data[0]
    assert event.data.to_dict()["previous_attributes"] == {"name": "Ada", "metadata": {"b": None}}


def test_an_update_that_changes_nothing_is_no_event(client: stripe.StripeClient) -> None:
    """Whoever mirrors us is not woken for nothing."""
    customer = client.v1.customers.create({"name": "Ada"})

    client.v1.customers.update(customer.id, {"name": "Ada"})

    assert [event.type for event in client.v1.events.list().data] == ["customer.created"]


def test_a_deleted_customer_answers_with_its_stub(client: stripe.StripeClient) -> None:
    """The one object that is still there after its deletion; deleting it again is a 404."""
    customer = client.v1.customers.create({"email": "ada@example.com"})

    stub = client.v1.customers.delete(customer.id)

    assert stub.to_dict() == {"id": customer.id, "object": "customer", "deleted": True}
    assert client.v1.customers.retrieve(customer.id).to_dict() == stub.to_dict()
    with pytest.raises(stripe.InvalidRequestError) as again:
        client.v1.customers.delete(customer.id)
    assert again.value.http_status == 404


def test_a_deleted_customers_cards_are_nobodys(client: stripe.StripeClient) -> None:
    """They are detached, and cannot be charged any more."""
    customer = client.v1.customers.create({"payment_method": "pm_card_visa", "source": "tok_visa"})
    method = client.v1.customers.payment_methods.list(customer.id).data[0].id

    client.v1.customers.delete(customer.id)

    assert client.v1.payment_methods.retrieve(method).customer is None
    told = {str(event.type) for event in client.v1.events.list().data}
    assert told >= {"customer.deleted", "customer.source.deleted", "payment_method.detached"}


def test_an_unknown_customer_is_a_404(client: stripe.StripeClient) -> None:
    """In Stripe's words, with its code and param."""
    with pytest.raises(stripe.InvalidRequestError, match="No such customer: 'cus_nobody'") as refusal:
        client.v1.customers.retrieve("cus_nobody")

    assert (refusal.value.http_status, refusal.value.code, refusal.value.param) == (404, "resource_missing", "id")


def test_a_customer_can_come_with_a_payment_method(client: stripe.StripeClient) -> None:
    """It is attached in the same request, and may be the default one at once."""
    customer = client.v1.customers.create(
        {
            "email": "ada@example.com",
            "payment_method": "pm_card_visa",
            "invoice_settings": {"default_payment_method": "pm_card_visa"},
        }
    )

    methods = client.v1.customers.payment_methods.list(customer.id).data
    assert [method.customer for method in methods] == [customer.id]
    assert customer.invoice_settings is not None
    assert customer.invoice_settings.default_payment_method == methods[0].id
    assert [event.type for event in client.v1.events.list().data] == ["customer.created", "payment_method.attached"]


def test_a_customer_whose_card_is_declined_is_not_made(client: stripe.StripeClient) -> None:
    """The bank is asked before anything is kept."""
    with pytest.raises(stripe.CardError):
        client.v1.customers.create({"payment_method": "pm_card_chargeDeclined"})

    assert client.v1.customers.list().data == []


def test_a_default_payment_method_is_the_customers_own(client: stripe.StripeClient) -> None:
    """Another customer's, or nobody's, is refused."""
    owner = client.v1.customers.create({"payment_method": "pm_card_visa"})
    theirs = client.v1.customers.payment_methods.list(owner.id).data[0].id
    customer = client.v1.customers.create()

    with pytest.raises(stripe.InvalidRequestError, match="must be attached to the customer") as refused:
        client.v1.customers.update(customer.id, {"invoice_settings": {"default_payment_method": theirs}})

    assert refused.value.param == "invoice_settings[default_payment_method]"


def test_a_customer_can_come_with_a_card_of_old(client: stripe.StripeClient) -> None:
    """A token makes a card that is the default source; a further one takes its place."""
    customer = client.v1.customers.create({"source": "tok_visa", "expand": ["sources"]})
    first = customer.default_source

    updated = client.v1.customers.update(
        customer.id, {"source": "tok_mastercard", "expand": ["default_source", "sources"]}
    )

    assert customer.sources is not None
    assert [source.id for source in customer.sources.data] == [first]
    assert isinstance(updated.default_source, stripe.Card)
    assert updated.default_source.brand == "MasterCard"
    assert updated.sources is not None
    assert [source.id for source in updated.sources.data] == [updated.default_source.id]


def test_what_cannot_be_an_address_is_refused(client: stripe.StripeClient) -> None:
    """A typing mistake is found before the receipt is lost."""
    with pytest.raises(stripe.InvalidRequestError, match="Invalid email address: ada") as refused:
        client.v1.customers.create({"email": "ada"})

    assert (refused.value.code, refused.value.param) == ("email_invalid", "email")


def test_a_deleted_customer_is_not_updated(client: stripe.StripeClient) -> None:
    """It answers GET with its stub, and everything else with a refusal."""
    customer = client.v1.customers.create()
    client.v1.customers.delete(customer.id)

    with pytest.raises(stripe.InvalidRequestError, match="No such customer") as refused:
        client.v1.customers.update(customer.id, {"name": "Ada"})

    assert refused.value.http_status == 400


def test_customers_are_listed_by_address(client: stripe.StripeClient) -> None:
    """The same address may belong to several: Stripe does not merge them."""
    first = client.v1.customers.create({"email": "ada@example.com"})
    client.v1.customers.create({"email": "mary@example.com"})
    second = client.v1.customers.create({"email": "ada@example.com"})

    found = client.v1.customers.list({"email": "ada@example.com"})

    assert [customer.id for customer in found.data] == [second.id, first.id]


def test_a_new_address_is_found_at_once(client: stripe.StripeClient) -> None:
    """And the old one no more."""
    customer = client.v1.customers.create({"email": "ada@example.com"})

    client.v1.customers.update(customer.id, {"email": "countess@example.com"})

    assert client.v1.customers.list({"email": "ada@example.com"}).data == []
    assert [found.id for found in client.v1.customers.list({"email": "countess@example.com"}).data] == [customer.id]


def test_what_a_customer_has_none_of_is_an_empty_list(client: stripe.StripeClient) -> None:
    """Expanding is allowed as at Stripe, and shows what there is."""
    customer = client.v1.customers.create({"expand": ["subscriptions", "tax", "tax_ids"]}).to_dict()

    assert (customer["subscriptions"]["data"], customer["tax_ids"]["data"]) == ([], [])
    assert customer["tax"]["automatic_tax"] == "not_collecting"
