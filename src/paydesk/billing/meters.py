"""Meters: what is counted as it is used, and charged or limited by that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import stripe

    from paydesk.billing.catalog_file import Entry


@dataclass(frozen=True)
class Meter:
    """Something that is counted. `event_name` is what Stripe's meter listens to."""

    code: str
    name: str
    event_name: str


def read_meter(entry: Entry) -> Meter:
    """The meter that stands in the file; its mistakes are noted."""
    name = entry.text("name", length_max=250)
    event_name = entry.text("event_name", default=entry.code, length_max=100)
    entry.refuse_unknown()
    return Meter(entry.code, name or entry.code, event_name or entry.code)


def push_meter(client: stripe.StripeClient, meter: Meter) -> str:
    """Make Stripe's meter exist, and answer its id: it adds up what it is told of each customer.

    Raises stripe.StripeError.
    """
    listed = client.v1.billing.meters.list({"status": "active", "limit": 100}).auto_paging_iter()
    if (known := next((each for each in listed if each.event_name == meter.event_name), None)) is not None:
        return known.id
    made = client.v1.billing.meters.create(
        {
            "display_name": meter.name,
            "event_name": meter.event_name,
            "default_aggregation": {"formula": "sum"},
        }
    )
    return made.id
