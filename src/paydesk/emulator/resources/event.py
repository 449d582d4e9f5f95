"""Events: what happened, each with a snapshot of the object as it was then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from paydesk.emulator.kernel import contract, lists
from paydesk.emulator.kernel.contract.shapes import Array, Choice
from paydesk.emulator.kernel.errors import exclusive, invalid
from paydesk.emulator.kernel.kinds import Kind
from paydesk.emulator.kernel.routes import Call, Route, words

if TYPE_CHECKING:
    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World

# Stripe shows events for thirty days; whoever sweeps them later finds them gone.
SHOWN_SECONDS = 30 * 24 * 3600
TYPES_MAX = 20

EVENT = Kind("event", "evt_", filters=("type",))


def types() -> tuple[str, ...]:
    """Every type of event Stripe has, as the SDK names them."""
    operation = contract.operation("POST", "/v1/webhook_endpoints")
    asked_for = operation.params.fields["enabled_events"] if operation is not None else None
    match asked_for:
        case Array(item=Choice(values=values)):
            return tuple(value for value in values if value != "*")
    raise RuntimeError("The installed stripe package does not say which events there are.")


def _retrieve(call: Call) -> Document:
    event = call.world.get("event", call.path["id"])
    if event["created"] <= call.world.wall - SHOWN_SECONDS:
        raise call.world.no_such("event", event.id)
    return event


def _list(call: Call) -> lists.Page:
    params = dict(call.params)
    if "type" in params and "types" in params:
        raise exclusive("type", "types")
    if len(params.get("types") or ()) > TYPES_MAX:
        raise invalid(f"You may pass at most {TYPES_MAX} types.", param="types")
    if "*" in (params.get("type") or ""):
        params["type"] = _matching(params["type"])
    if "delivery_success" in params:
        params["id"] = _delivered(call.world, wholly=params["delivery_success"])
    created = params.get("created")
    if not isinstance(created, int):
        bounds = dict(created or {})
        bounds["gt"] = max(bounds.get("gt", 0), call.world.wall - SHOWN_SECONDS)
        params["created"] = bounds
    return lists.page(call.world, EVENT, call.url, params, narrowed_by=("type", "types=type", "id"))


def _matching(pattern: str) -> list[str]:
    """The types a pattern such as `invoice.*` stands for."""
    before, _, after = pattern.partition("*")
    return [name for name in types() if name.startswith(before) and name.endswith(after)]


def _delivered(world: World, *, wholly: bool) -> list[str]:
    """Ids of the events that reached every endpoint, or of those that did not (yet)."""
    pending = (
        "SELECT event FROM deliveries d WHERE d.sandbox = :sandbox AND NOT EXISTS (SELECT 1 FROM deliveries e "
        "WHERE e.event = d.event AND e.endpoint = d.endpoint AND e.state = 'delivered')"
    )
    query = (
        f"SELECT id FROM objects WHERE sandbox = :sandbox AND kind = 'event' AND id NOT IN ({pending})"  # noqa: S608 - ours
        if wholly
        else f"SELECT DISTINCT event FROM ({pending})"  # noqa: S608 - ours
    )
    return [identifier for (identifier,) in world.db.execute(query, {"sandbox": world.sandbox.number})]


KINDS = (EVENT,)
ROUTES = (
    Route("GET", "/v1/events/{id}", _retrieve, area="event"),
    Route(
        "GET",
        "/v1/events",
        _list,
        uses=words("created delivery_success ending_before limit starting_after type types"),
        area="event",
    ),
)
TASKS: dict[str, Any] = {}
