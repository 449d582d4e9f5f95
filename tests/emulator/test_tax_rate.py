"""Tax rates: a percentage with a name and a place."""

from __future__ import annotations

from typing import Any

import pytest
import stripe


def made(client: stripe.StripeClient, **more: Any) -> stripe.TaxRate:
    """Germany's value added tax."""
    given: Any = {"display_name": "VAT", "percentage": 19, "inclusive": False, "country": "DE", "tax_type": "vat"}
    return client.v1.tax_rates.create(given | more)


def test_a_tax_rate_says_what_how_much_and_where(client: stripe.StripeClient) -> None:
    """Whether it is inside the price or on top of it is part of the rate."""
    rate = made(client, description="VAT Germany", jurisdiction="DE").to_dict()

    assert (rate["percentage"], rate["inclusive"], rate["active"]) == (19, False, True)
    assert (rate["country"], rate["jurisdiction"], rate["tax_type"]) == ("DE", "DE", "vat")
    assert [event.type for event in client.v1.events.list().data] == ["tax_rate.created"]


def test_a_percentage_never_changes_but_its_rate_can_be_archived(client: stripe.StripeClient) -> None:
    """What was invoiced must stay explainable; for another percentage there is another rate."""
    rate = made(client)

    archived = client.v1.tax_rates.update(rate.id, {"active": False, "display_name": "MwSt", "country": ""})
    cheaper: Any = {"percentage": 7}
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.tax_rates.update(rate.id, cheaper)

    event = client.v1.events.list({"type": "tax_rate.updated"}).data[0]
    assert (archived.active, archived.display_name, archived.country) == (False, "MwSt", None)
    assert event.data.to_dict()["previous_attributes"] == {"active": True, "country": "DE", "display_name": "VAT"}
    assert refused.value.user_message == "Received unknown parameter: percentage"


def test_tax_rates_are_listed_by_what_they_are(client: stripe.StripeClient) -> None:
    """Active ones, or those inside the price."""
    on_top = made(client)
    inside = made(client, inclusive=True, active=False)

    assert [rate.id for rate in client.v1.tax_rates.list({"active": True}).data] == [on_top.id]
    assert [rate.id for rate in client.v1.tax_rates.list({"inclusive": True}).data] == [inside.id]


@pytest.mark.parametrize("percentage", [-1, 100.5])
def test_a_tax_is_between_nothing_and_everything(client: stripe.StripeClient, percentage: float) -> None:
    """Percent of the price, not more."""
    with pytest.raises(stripe.InvalidRequestError) as refused:
        made(client, percentage=percentage)

    assert (refused.value.http_status, refused.value.param) == (400, "percentage")


def test_a_tax_has_a_name(client: stripe.StripeClient) -> None:
    """From the start, and after every change."""
    vat = client.v1.tax_rates.create({"display_name": "VAT", "percentage": 19, "inclusive": True})

    with pytest.raises(stripe.InvalidRequestError, match="cannot be blank") as refusal:
        client.v1.tax_rates.update(vat.id, {"display_name": ""})

    assert (refusal.value.code, refusal.value.param) == ("parameter_invalid_string_blank", "display_name")
    with pytest.raises(stripe.InvalidRequestError, match="You passed an empty string for 'display_name'"):
        client.v1.tax_rates.create({"display_name": "", "percentage": 19, "inclusive": True})
