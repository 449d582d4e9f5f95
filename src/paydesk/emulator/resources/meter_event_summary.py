"""Meter event summaries: what a customer's usage comes to, in all or hour by hour or day by day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel import ids
from paydesk.emulator.kernel.document import to_text
from paydesk.emulator.kernel.errors import StripeError, invalid
from paydesk.emulator.kernel.lists import LIMIT_DEFAULT, LIMIT_MAX, Page
from paydesk.emulator.kernel.routes import Call, Route, words
from paydesk.emulator.resources import meter_event
from paydesk.emulator.rules.usage import WINDOWS

if TYPE_CHECKING:
    from paydesk.emulator.kernel.document import Document

_MINUTE: Final = 60


def _list(call: Call) -> Page:
    world, params = call.world, call.params
    meter = world.get("billing.meter", call.path["id"])
    customer = world.get("customer", params["customer"], param="customer").id
    start, end, grouping = params["start_time"], params["end_time"], params.get("value_grouping_window")
    _check_range(start, end, grouping)
    # Newest first, as every list.
    width = end - start if grouping is None else WINDOWS[grouping]
    begins = range(start, end, width)[::-1]
    shown, has_more = _cut([_id(meter, customer, begin) for begin in begins], params)
    texts = [to_text(_summary(call, meter, customer, begins[place], begins[place] + width)) for place in shown]
    return Page(call.url, texts, has_more)


def _summary(call: Call, meter: Document, customer: str, start: int, end: int) -> dict[str, Any]:
    return {
        "id": _id(meter, customer, start),
        "object": "billing.meter_event_summary",
        "aggregated_value": float(meter_event.measured(call.world, meter, customer, start, end)),
        "end_time": end,
        "livemode": meter["livemode"],
        "meter": meter.id,
        "start_time": start,
    }


def _id(meter: Document, customer: str, start: int) -> str:
    """The same for the same window: a page's last id leads to the next page."""
    return f"mtrusg_{'' if meter['livemode'] else 'test_'}{ids.characters(f'{meter.id} {customer}', start, 24)}"


def _check_range(start: int, end: int, grouping: str | None) -> None:
    step, unit = (_MINUTE, "minute") if grouping is None else (WINDOWS[grouping], grouping)
    for name, time in (("start_time", start), ("end_time", end)):
        if time % step:
            raise invalid(f"`{name}` must be aligned with {unit} boundaries: {time} is not.", param=name)
    if end <= start:
        raise invalid("`end_time` must be after `start_time`.", param="end_time")


def _cut(identifiers: list[str], params: dict[str, Any]) -> tuple[range, bool]:
    """Where the page that is asked for begins and ends, and whether there are more."""
    limit = min(max(params.get("limit", LIMIT_DEFAULT), 1), LIMIT_MAX)
    after, before = params.get("starting_after"), params.get("ending_before")
    if after and before:
        raise invalid("Received both starting_after and ending_before parameters. Please pass in only one.")
    if before:
        end = _place(identifiers, before, "ending_before")
        return range(max(0, end - limit), end), end > limit
    start = _place(identifiers, after, "starting_after") + 1 if after else 0
    return range(start, min(start + limit, len(identifiers))), len(identifiers) > start + limit


def _place(identifiers: list[str], identifier: str, param: str) -> int:
    if identifier not in identifiers:
        raise StripeError(f"No such meter event summary: '{identifier}'", code="resource_missing", param=param)
    return identifiers.index(identifier)


KINDS: tuple[()] = ()
ROUTES = (
    Route(
        "GET",
        "/v1/billing/meters/{id}/event_summaries",
        _list,
        uses=words("customer end_time ending_before limit start_time starting_after value_grouping_window"),
        area="billing_meter",
    ),
)
TASKS: dict[str, Any] = {}
