"""Meters: how what customers use is counted."""

from __future__ import annotations

from typing import Any, cast

import pytest
import stripe

from tests.emulator.invoicing import refused


def meter(client: stripe.StripeClient, **more: Any) -> stripe.billing.Meter:
    """A meter that adds up tokens."""
    given: Any = {"display_name": "Tokens", "event_name": "tokens", "default_aggregation": {"formula": "sum"}}
    return client.v1.billing.meters.create(given | more)


def test_a_meter_begins_with_stripes_defaults(client: stripe.StripeClient) -> None:
    """Events name the customer under `stripe_customer_id` and how much under `value`, unless told otherwise."""
    plain = meter(client).to_dict()
    own = meter(
        client,
        event_name="bytes",
        customer_mapping={"type": "by_id", "event_payload_key": "who"},
        value_settings={"event_payload_key": "bytes_used"},
        event_time_window="hour",
    ).to_dict()

    assert (plain["object"], plain["status"], plain["event_time_window"]) == ("billing.meter", "active", None)
    assert plain["customer_mapping"] == {"event_payload_key": "stripe_customer_id", "type": "by_id"}
    assert plain["value_settings"] == {"event_payload_key": "value"}
    assert plain["default_aggregation"] == {"formula": "sum"}
    assert plain["status_transitions"] == {"deactivated_at": None}
    assert plain["updated"] == plain["created"]
    assert (own["customer_mapping"]["event_payload_key"], own["value_settings"]["event_payload_key"]) == (
        "who",
        "bytes_used",
    )
    assert client.v1.billing.meters.retrieve(own["id"]).event_time_window == "hour"


def test_nothing_but_the_name_of_a_meter_changes(client: stripe.StripeClient) -> None:
    """What was counted stays counted as it was."""
    made = meter(client)

    renamed = client.v1.billing.meters.update(made.id, {"display_name": "Tokens used"})

    assert (renamed.display_name, renamed.event_name) == ("Tokens used", "tokens")
    with refused("Received unknown parameter: event_name"):
        client.v1.billing.meters.update(made.id, cast("Any", {"event_name": "other"}))


def test_a_meter_is_taken_out_of_service_and_back(client: stripe.StripeClient) -> None:
    """A deactivated meter counts nothing and backs no new price; reactivated, it does again."""
    ada = client.v1.customers.create({})
    made = meter(client)
    event: Any = {"event_name": "tokens", "payload": {"stripe_customer_id": ada.id, "value": "1"}}
    price: Any = {
        "currency": "usd",
        "unit_amount": 1,
        "product_data": {"name": "Tokens"},
        "recurring": {"interval": "month", "usage_type": "metered", "meter": made.id},
    }

    off = client.v1.billing.meters.deactivate(made.id)
    assert (off.status, off.status_transitions.deactivated_at) == ("inactive", off.updated)
    with refused("No active meter"):
        client.v1.billing.meter_events.create(event)
    with refused("inactive"):
        client.v1.prices.create(price)
    on = client.v1.billing.meters.reactivate(made.id)

    assert (on.status, on.status_transitions.deactivated_at) == ("active", None)
    assert client.v1.billing.meter_events.create(event).event_name == "tokens"
    assert client.v1.prices.create(price).recurring is not None


def test_one_event_name_has_one_active_meter(client: stripe.StripeClient) -> None:
    """Two of them would charge the same use twice."""
    first = meter(client)

    with refused("event name"):
        meter(client)
    client.v1.billing.meters.deactivate(first.id)
    second = meter(client)
    with refused("event name"):
        client.v1.billing.meters.reactivate(first.id)

    assert second.status == "active"


def test_meters_are_listed_by_state(client: stripe.StripeClient) -> None:
    """All of them, newest first, or only those that count."""
    tokens, calls = meter(client), meter(client, event_name="calls")
    client.v1.billing.meters.deactivate(tokens.id)

    def ids(**narrowed: Any) -> list[str]:
        return [found.id for found in client.v1.billing.meters.list(cast("Any", narrowed)).data]

    assert ids() == [calls.id, tokens.id]
    assert (ids(status="active"), ids(status="inactive")) == ([calls.id], [tokens.id])


def test_meters_are_told_of_in_no_snapshot_event(client: stripe.StripeClient) -> None:
    """Stripe tells of them in thin events, which are not modelled: none is invented in their place."""
    made = meter(client)
    client.v1.billing.meters.update(made.id, {"display_name": "Tokens used"})
    client.v1.billing.meters.deactivate(made.id)

    assert client.v1.events.list().data == []


def test_a_metered_price_is_backed_by_a_meter(client: stripe.StripeClient) -> None:
    """Which must exist, and without one Stripe has metered prices no longer."""
    made = meter(client)

    def price(**recurring: Any) -> stripe.Price:
        given: Any = {"currency": "usd", "unit_amount_decimal": "0.2", "product_data": {"name": "Tokens"}}
        return client.v1.prices.create(given | {"recurring": {"interval": "month", **recurring}})

    metered = price(usage_type="metered", meter=made.id)

    assert metered.recurring is not None
    assert (metered.recurring.usage_type, metered.recurring.meter) == ("metered", made.id)
    assert client.v1.events.list({"type": "plan.created"}).data[0].data.object["meter"] == made.id
    assert [found.id for found in client.v1.prices.list({"recurring": {"meter": made.id}}).data] == [metered.id]
    with refused("Starting with Stripe version `2025-03-31.basil`, metered prices must be backed by meters."):
        price(usage_type="metered")
    with refused("usage_type=metered"):
        price(meter=made.id)
    with pytest.raises(stripe.InvalidRequestError) as unknown:
        price(usage_type="metered", meter="mtr_nothing")
    assert (unknown.value.http_status, unknown.value.code, unknown.value.param) == (
        400,
        "resource_missing",
        "recurring[meter]",
    )
