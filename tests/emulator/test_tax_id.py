"""Tax ids: by which number a tax authority knows somebody."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.emulator.controls import Controls
from tests.emulator.invoicing import customer, drafted, opened, refused
from tests.emulator.paying import events

MANY = ("DE123456789", "DE987654321", "DE111222333")


def give(
    client: stripe.StripeClient, owner: stripe.Customer, value: str = MANY[0], kind: Any = "eu_vat"
) -> stripe.TaxId:
    """A tax id of a customer."""
    return client.v1.customers.tax_ids.create(owner.id, {"type": kind, "value": value})


def standing(client: stripe.StripeClient, owner: stripe.Customer, found: stripe.TaxId) -> str | None:
    """How the check of a number went."""
    now = client.v1.customers.tax_ids.retrieve(owner.id, found.id)
    return None if now.verification is None else now.verification.status


def test_a_customer_has_tax_ids(client: stripe.StripeClient) -> None:
    """They are listed, shown with the customer, and forgotten one by one."""
    ada, bob = customer(client), customer(client)
    first, second = give(client, ada, MANY[0]), give(client, ada, MANY[1])
    other = give(client, bob, "GB123456789", "gb_vat")

    stub = client.v1.customers.tax_ids.delete(ada.id, first.id)

    whole: Any = client.v1.customers.retrieve(ada.id, {"expand": ["tax_ids"]}).tax_ids
    assert (first.type, first.value, first.country, first.customer) == ("eu_vat", MANY[0], "DE", ada.id)
    assert first.owner is not None
    assert (first.owner.type, first.owner.customer) == ("customer", ada.id)
    assert (stub.id, stub.deleted) == (first.id, True)
    assert [one.id for one in client.v1.customers.tax_ids.list(ada.id).data] == [second.id]
    assert ([one.id for one in whole.data], whole.url) == ([second.id], f"/v1/customers/{ada.id}/tax_ids")
    assert client.v1.tax_ids.retrieve(other.id).customer == bob.id
    assert events(client, "customer.created") == [*["customer.tax_id.created"] * 3, "customer.tax_id.deleted"]
    with refused():
        client.v1.customers.tax_ids.retrieve(bob.id, second.id)
    with refused():
        client.v1.customers.tax_ids.delete(ada.id, first.id)


def test_a_customer_can_begin_with_tax_ids(client: stripe.StripeClient) -> None:
    """All of them, or none where one is wrong; and they go with the customer."""
    given: Any = [{"type": "us_ein", "value": "12-3456789"}, {"type": "eu_vat", "value": MANY[0]}]

    ada = client.v1.customers.create({"tax_id_data": given, "expand": ["tax_ids"]})
    with refused() as refusal:
        client.v1.customers.create({"tax_id_data": [given[0], {"type": "eu_vat", "value": "12"}]})
    known = client.v1.customers.list().data
    client.v1.customers.delete(ada.id)

    tax_ids: Any = ada.tax_ids
    assert [one.value for one in tax_ids.data] == [MANY[0], "12-3456789"]
    assert (refusal.value.code, refusal.value.param) == ("tax_id_invalid", "tax_id_data[1][value]")
    assert [one.id for one in known] == [ada.id]
    with refused():
        client.v1.tax_ids.retrieve(tax_ids.data[0].id)


def test_the_business_has_tax_ids_of_its_own(client: stripe.StripeClient) -> None:
    """They are in nobody's list but its own, and an invoice can show them."""
    ada = customer(client)
    theirs = give(client, ada)
    own = client.v1.tax_ids.create({"type": "us_ein", "value": "98-7654321"})
    also = client.v1.tax_ids.create(
        {"type": "eu_vat", "value": MANY[1], "owner": {"type": "customer", "customer": ada.id}}
    )

    invoice: Any = client.v1.invoices.create(
        {"customer": ada.id, "account_tax_ids": [own.id], "expand": ["account_tax_ids"]}
    )

    assert (own.customer, own.owner is not None and own.owner.type) == (None, "self")
    assert [one.id for one in client.v1.tax_ids.list().data] == [own.id]
    of_ada: Any = {"owner": {"type": "customer", "customer": ada.id}}
    assert [one.id for one in client.v1.tax_ids.list(of_ada).data] == [also.id, theirs.id]
    assert [one.value for one in invoice.account_tax_ids] == ["98-7654321"]
    with refused():
        client.v1.invoices.create({"customer": ada.id, "account_tax_ids": [theirs.id]})
    client.v1.tax_ids.delete(own.id)
    assert client.v1.tax_ids.list().data == []


def test_an_invoice_shows_the_tax_ids_of_its_day(client: stripe.StripeClient) -> None:
    """A draft follows the customer when it is finalised; after that it stays as it is."""
    ada = customer(client)
    first = give(client, ada, MANY[0])
    draft = drafted(client, ada, 1500)
    give(client, ada, MANY[1])

    final = client.v1.invoices.finalize_invoice(draft.id)
    client.v1.customers.tax_ids.delete(ada.id, first.id)
    after = client.v1.invoices.retrieve(draft.id)
    following = opened(client, ada, 900)

    def values(invoice: Any) -> list[tuple[str, str]]:
        return [(one.type, one.value) for one in invoice.customer_tax_ids]

    assert values(draft) == [("eu_vat", MANY[0])]
    assert values(final) == values(after) == [("eu_vat", MANY[0]), ("eu_vat", MANY[1])]
    assert values(following) == [("eu_vat", MANY[1])]


@pytest.mark.parametrize(
    ("kind", "value", "first", "then"),
    [
        ("eu_vat", "000000000", "pending", "verified"),
        ("gb_vat", "111111111", "pending", "unverified"),
        ("eu_vat", "222222222", "pending", "pending"),
        ("eu_vat", "DE123456789", "pending", "unavailable"),
        ("us_ein", "12-3456789", "unavailable", "unavailable"),
    ],
)
def test_a_number_is_checked_after_a_moment(
    client: stripe.StripeClient, controls: Controls, kind: str, value: str, first: str, then: str
) -> None:
    """Where its authority can be asked at all; Stripe's test numbers say how that goes."""
    ada = customer(client)
    found = give(client, ada, value, kind)

    at_once = standing(client, ada, found)
    controls.push(60)

    assert (at_once, standing(client, ada, found)) == (first, then)
    told = events(client, "customer.tax_id.created")
    assert told == ([] if first == then else ["customer.tax_id.updated"])


@pytest.mark.parametrize(
    ("kind", "good", "country", "bad"),
    [
        ("eu_vat", "ATU12345678", "AT", "AT12345678"),
        ("eu_vat", "EL123456789", "GR", "GR123456789"),
        ("eu_vat", "NL123456789B12", "NL", "NL123456789"),
        ("eu_vat", "XI123456789", "GB", "GB123456789"),
        ("eu_oss_vat", "EU123456789", None, "DE123456789"),
        ("gb_vat", "GB123456789", "GB", "123456789"),
        ("ch_vat", "CHE-123.456.789 MWST", "CH", "CHE-123.456.789"),
        ("no_vat", "123456789MVA", "NO", "123456789"),
        ("us_ein", "12-3456789", "US", "12-345678"),
        ("ca_bn", "123456789", "CA", "12345678"),
        ("ca_gst_hst", "123456789RT0002", "CA", "123456789"),
        ("br_cnpj", "01.234.456/5432-10", "BR", "01.234.456/5432"),
        ("mx_rfc", "ABC010203AB9", "MX", "ABC0102"),
        ("au_abn", "12345678912", "AU", "1234567891"),
        ("nz_gst", "123456789", "NZ", "1234567"),
        ("in_gst", "12ABCDE3456FGZH", "IN", "12ABCDE3456FG"),
        ("jp_cn", "1234567891234", "JP", "123456789123"),
        ("sg_uen", "123456789F", "SG", "12345678"),
        ("ae_trn", "123456789012345", "AE", "12345678901234"),
        ("za_vat", "4123456789", "ZA", "1123456789"),
        ("es_cif", "A12345678", "ES", "12345"),
        ("ke_pin", "P000111111A", "KE", " "),
    ],
)
def test_a_number_looks_like_one_of_its_type(
    client: stripe.StripeClient, kind: str, good: str, country: str | None, bad: str
) -> None:
    """It says which country it is from; another number is refused, and nothing is kept."""
    ada = customer(client)

    made = give(client, ada, good, kind)
    with refused() as refusal:
        give(client, ada, bad, kind)

    assert (made.value, made.country) == (good, country)
    assert refusal.value.param == "value"
    assert len(client.v1.customers.tax_ids.list(ada.id).data) == 1


def test_an_owner_is_somebody_who_can_have_one(client: stripe.StripeClient) -> None:
    """A customer who is there; connected accounts are not modelled, and that is said."""
    for owner, param in (
        ({"type": "customer"}, "owner[customer]"),
        ({"type": "customer", "customer": "cus_0"}, "owner[customer]"),
        ({"type": "application"}, "owner[type]"),
        ({"type": "account", "account": "acct_1"}, "owner[account]"),
    ):
        given: Any = {"type": "us_ein", "value": "12-3456789", "owner": owner}
        with refused() as refusal:
            client.v1.tax_ids.create(given)
        assert refusal.value.param == param
