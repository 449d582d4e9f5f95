"""Meter event adjustments: a meter event that was sent by mistake, taken back within a day."""

from __future__ import annotations

from typing import Any

from paydesk.emulator.kernel.errors import StripeError, missing_param
from paydesk.emulator.kernel.routes import Call, Route, words
from paydesk.emulator.resources import meter_event


def _create(call: Call) -> dict[str, Any]:
    world, given = call.world, call.params
    identifier = (given.get("cancel") or {}).get("identifier")
    if identifier is None:
        raise missing_param("cancel[identifier]")
    event = meter_event.recent(world, identifier)
    if event is None or event["event_name"] != given["event_name"]:
        raise StripeError(
            f"No meter event `{given['event_name']}` with the identifier `{identifier}` was received within the last "
            "24 hours.",
            code="resource_missing",
            param="cancel[identifier]",
        )
    # It stays, so that its identifier stays taken; it only counts for nobody any more.
    event["counts_for"] = None
    world.save(event)
    return {
        "object": "billing.meter_event_adjustment",
        "cancel": {"identifier": identifier},
        "event_name": given["event_name"],
        "livemode": world.livemode,
        "status": "complete",
        "type": given["type"],
    }


KINDS: tuple[()] = ()
ROUTES = (
    Route(
        "POST",
        "/v1/billing/meter_event_adjustments",
        _create,
        uses=words("cancel event_name type"),
        area="billing_meter_event_adjustment",
    ),
)
TASKS: dict[str, Any] = {}
