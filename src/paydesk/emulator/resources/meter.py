"""Meters: which events say what a customer used, and how they add up to what a metered price charges for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from paydesk.emulator.kernel.document import Document
from paydesk.emulator.kernel.errors import invalid
from paydesk.emulator.kernel.kinds import Kind
from paydesk.emulator.kernel.routes import Call, Route, listing, retrieve, words

if TYPE_CHECKING:
    from paydesk.emulator.kernel.world import World

METER = Kind("billing.meter", "mtr_", missing="No such meter: '%s'", filters=("event_name", "status"))

CUSTOMER_KEY = "stripe_customer_id"
VALUE_KEY = "value"


def listening(world: World, event_name: str) -> Document | None:
    """The active meter that counts events of this name."""
    found = world.having("billing.meter", "event_name", event_name)
    return next((meter for meter in found if meter["status"] == "active"), None)


def _create(call: Call) -> Document:
    world, given = call.world, call.params
    _check_free(world, given["event_name"])
    mapping = given.get("customer_mapping") or {"event_payload_key": CUSTOMER_KEY, "type": "by_id"}
    values = given.get("value_settings") or {"event_payload_key": VALUE_KEY}
    return world.add(
        Document(
            {
                "id": world.mint("mtr_" if world.livemode else "mtr_test_"),
                "object": "billing.meter",
                "created": world.now,
                "customer_mapping": {"event_payload_key": mapping["event_payload_key"], "type": mapping["type"]},
                "default_aggregation": {"formula": given["default_aggregation"]["formula"]},
                "display_name": given["display_name"],
                "event_name": given["event_name"],
                "event_time_window": given.get("event_time_window"),
                "livemode": world.livemode,
                "status": "active",
                "status_transitions": {"deactivated_at": None},
                "updated": world.now,
                "value_settings": {"event_payload_key": values["event_payload_key"]},
            }
        )
    )


def _update(call: Call) -> Document:
    meter = _named(call)
    return _saved(call.world, meter, display_name=call.params.get("display_name", meter["display_name"]))


def _deactivate(call: Call) -> Document:
    meter = _named(call)
    if meter["status"] == "inactive":
        return meter
    transitions = {"deactivated_at": call.world.now}
    return _saved(call.world, meter, status="inactive", status_transitions=transitions)


def _reactivate(call: Call) -> Document:
    meter = _named(call)
    if meter["status"] == "active":
        return meter
    _check_free(call.world, meter["event_name"])
    return _saved(call.world, meter, status="active", status_transitions={"deactivated_at": None})


def _named(call: Call) -> Document:
    return call.world.get("billing.meter", call.path["id"])


def _saved(world: World, meter: Document, **changes: Any) -> Document:
    # Stripe tells of meters in thin events only, so nothing is told here.
    meter.update(changes, updated=world.now)
    world.save(meter)
    return meter


def _check_free(world: World, event_name: str) -> None:
    """Refuse a second active meter for the events of one name: they would be charged for twice."""
    taken = listening(world, event_name)
    if taken is not None:
        raise invalid(
            f"An active meter (`{taken.id}`) already uses the event name `{event_name}`. Deactivate it first, or use "
            "another name.",
            param="event_name",
        )


_PATH = "/v1/billing/meters/{id}"

KINDS = (METER,)
ROUTES = (
    Route(
        "POST",
        "/v1/billing/meters",
        _create,
        uses=words("customer_mapping default_aggregation display_name event_name event_time_window value_settings"),
        area=METER.area,
    ),
    retrieve(_PATH, METER),
    Route("POST", _PATH, _update, uses=words("display_name"), area=METER.area),
    Route("POST", _PATH + "/deactivate", _deactivate, area=METER.area),
    Route("POST", _PATH + "/reactivate", _reactivate, area=METER.area),
    listing("/v1/billing/meters", METER, filters="status"),
)
TASKS: dict[str, Any] = {}
