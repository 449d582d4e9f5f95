"""Meter events: that a customer used something, how much of it, and when.

Stripe looks at them later and tells in thin events of those it cannot count. The local
Stripe looks at once, and refuses them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel.document import Document
from paydesk.emulator.kernel.errors import StripeError, invalid
from paydesk.emulator.kernel.kinds import Kind
from paydesk.emulator.kernel.routes import Call, Route, words
from paydesk.emulator.resources import meter as meters
from paydesk.emulator.rules.usage import Reading, aggregated

if TYPE_CHECKING:
    from paydesk.emulator.kernel.world import World

METER_EVENT = Kind("billing.meter_event", "mtrevt_", filters=("counts_for", "identifier"))

AGE_MAX: Final = 35 * 86400
AHEAD_MAX: Final = 5 * 60
# How long an identifier is remembered, and an event can be taken back.
REMEMBERED: Final = 86400

_WHOLE: Final = re.compile(r"-?[0-9]{1,15}")
# What is kept of an event beside what Stripe shows of it. No URL reads an event back.
_KEPT: Final = frozenset({"id", "counts_for", "received", "value"})


def usage(world: World, meter_id: str, customer_id: str, start: int, end: int) -> int:
    """How much a customer is to be charged for: what they used from `start` to before `end`, and never less than 0."""
    return max(0, measured(world, world.get("billing.meter", meter_id), customer_id, start, end))


def measured(world: World, meter: Document, customer_id: str, start: int, end: int) -> int:
    """What a customer's events from `start` to before `end` come to, by the formula of the meter."""
    events = world.having("billing.meter_event", "counts_for", _counts_for(meter.id, customer_id))
    readings = [Reading(event["timestamp"], event["value"]) for event in events if start <= event["timestamp"] < end]
    formula = meter["default_aggregation"]["formula"]
    return aggregated(formula, readings[::-1], window=meter["event_time_window"])


def recent(world: World, identifier: str) -> Document | None:
    """The event that was received under this identifier within the last day."""
    found = world.first("billing.meter_event", "identifier", identifier)
    return found if found is not None and found["received"] > world.wall - REMEMBERED else None


def _create(call: Call) -> dict[str, Any]:
    world, given = call.world, call.params
    name, payload = given["event_name"], given["payload"]
    meter = meters.listening(world, name)
    if meter is None:
        raise invalid(f"No active meter found for event name `{name}`.", code="resource_missing", param="event_name")
    identifier = given.get("identifier") or world.characters(32)
    if recent(world, identifier) is not None:
        raise invalid(f"An event already exists with identifier {identifier}.", param="identifier")
    customer = _customer(world, meter, payload)
    event = Document(
        {
            "id": world.mint(METER_EVENT.prefix),
            "object": "billing.meter_event",
            "counts_for": _counts_for(meter.id, customer),
            "created": world.now,
            "event_name": name,
            "identifier": identifier,
            "livemode": world.livemode,
            "payload": payload,
            "received": world.wall,
            "timestamp": _timestamp(world, given.get("timestamp")),
            "value": _value(meter, payload),
        }
    )
    world.add(event)
    return {field: value for field, value in event.items() if field not in _KEPT}


def _counts_for(meter: str, customer: str) -> str:
    return f"{meter} {customer}"


def _customer(world: World, meter: Document, payload: dict[str, str]) -> str:
    key = meter["customer_mapping"]["event_payload_key"]
    if not payload.get(key):
        raise invalid(
            f"The payload must name the customer under `{key}`.",
            code="meter_event_no_customer_defined",
            param=f"payload[{key}]",
        )
    return world.get("customer", payload[key], param=f"payload[{key}]").id


def _value(meter: Document, payload: dict[str, str]) -> int:
    key = meter["value_settings"]["event_payload_key"]
    if key not in payload and meter["default_aggregation"]["formula"] == "count":
        return 0
    written = payload.get(key, "")
    if not _WHOLE.fullmatch(written):
        raise invalid(
            f"The payload must hold a whole number of at most 15 digits under `{key}`; it holds `{written}`.",
            code="meter_event_invalid_value",
            param=f"payload[{key}]",
        )
    return int(written)


def _timestamp(world: World, given: int | None) -> int:
    if given is None:
        return world.now
    if given > world.now + AHEAD_MAX:
        raise _wrong_time(f"{given} is more than 5 minutes in the future", "timestamp_in_future")
    if given < world.now - AGE_MAX:
        raise _wrong_time(f"{given} is more than 35 days in the past", "timestamp_too_far_in_past")
    return given


def _wrong_time(why: str, code: str) -> StripeError:
    return invalid(f"The timestamp {why}.", code=code, param="timestamp")


KINDS = (METER_EVENT,)
ROUTES = (
    Route(
        "POST",
        "/v1/billing/meter_events",
        _create,
        uses=words("event_name identifier payload timestamp"),
        area=METER_EVENT.area,
    ),
)
TASKS: dict[str, Any] = {}
