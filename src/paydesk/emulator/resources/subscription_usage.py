"""What is used is billed afterwards: by what its meter counted, up to the moment it is billed for.

An item remembers from when on its usage is not billed yet. A renewal bills the period that is over; what ends
earlier (an item that is removed, a subscription that is ended with an invoice) is billed up to then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from paydesk.emulator.resources import invoice_lines, invoiceitem, invoicing, meter_event, subscription_lines
from paydesk.emulator.resources.invoice_pricing import Cost
from paydesk.emulator.resources.subscription_lines import Charge
from paydesk.emulator.resources.subscription_shape import is_metered
from paydesk.emulator.rules import price_costs
from paydesk.emulator.rules.price_amounts import Under
from paydesk.emulator.rules.proration import Period

if TYPE_CHECKING:
    from collections.abc import Sequence

    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World
    from paydesk.emulator.resources.invoice_lines import Line

# A line of usage is known by its subscription item, its price and its period.
_Key = tuple[str, str, int, int]


def begin(item: Document, moment: int) -> None:
    """What is used of an item counts from this moment on; it is not saved yet."""
    if is_metered(item):
        item.private["measured_from"] = moment
    else:
        item.private.pop("measured_from", None)


def charge(
    world: World, subscription: Document, item: Document, until: int, *, includes_now: bool = False
) -> Charge | None:
    """What was used of an item before a moment and is not billed yet; from then on it counts anew.

    `includes_now`: nothing follows that could count what was used within the second of that moment, so it counts here.
    None where nothing is measured, or was not yet. The item is not saved yet.
    """
    if not is_metered(item):
        return None
    start = item.private.get("measured_from", item["current_period_start"])
    end = until + 1 if includes_now else until
    if start >= end:
        return None
    meter = item["price"]["recurring"]["meter"]
    used = meter_event.usage(world, meter, subscription["customer"], start, end)
    begin(item, until)
    return Charge(item, Period(start, until), used=used)


def charges(world: World, subscription: Document, items: Sequence[Document], until: int, **how: bool) -> list[Charge]:
    """What was used of all these items, as `charge` says it; what is used during a pause is nobody's to pay."""
    if subscription["status"] == "paused":
        return []
    found = (charge(world, subscription, item, until, **how) for item in items)
    return [one for one in found if one is not None]


def keep(world: World, subscription: Document, used: Charge) -> Document:
    """Keep what was used as an item of the subscription's next invoice, told as `invoiceitem.created`."""
    customer = world.get("customer", subscription["customer"])
    price, quantity = world.ever("price", used.item["price"]["id"]), used.used or 0
    parts = price_costs.parts(price, subscription["currency"], quantity)
    name = subscription_lines.name_of(world, price, quantity)
    pricing = {
        "price_details": {"price": price.id, "product": price["product"]},
        "type": "price_details",
        # Bands have no unit amount in common.
        "unit_amount_decimal": parts[0].unit_amount_decimal if len(parts) == 1 else None,
    }
    amount = sum(part.amount for part in parts)
    said = {
        "description": name,
        "discountable": True,
        "metadata": subscription["metadata"],
        "period": {"end": used.period.end, "start": used.period.start},
    }
    cost = Cost(amount, subscription["currency"], name, pricing, quantity)
    item = invoiceitem.new(world, customer, None, said, cost, Under(""))
    item["parent"] = {
        "subscription_details": {"subscription": subscription.id, "subscription_item": used.item.id},
        "type": "subscription_details",
    }
    item["tax_rates"] = [dict(rate) for rate in used.item["tax_rates"]]
    return world.add(item, "invoiceitem.created")


def _measure(world: World, subject: str) -> None:
    """A renewal's draft is about to be finalised: what was told late of the period it bills counts as well."""
    invoice = world.get("invoice", subject)
    groups: dict[_Key, list[Line]] = {}
    for line in invoice_lines.of(invoice):
        if (key := _key(world, line)) is not None:
            groups.setdefault(key, []).append(line)
    late = {key: _measured(world, invoice, key, lines) for key, lines in groups.items()}
    if all(late[key] == lines for key, lines in groups.items()):
        return
    lines = []
    for line in invoice_lines.of(invoice):
        key = _key(world, line)
        lines += [line] if key is None else late.pop(key, [])
    invoice_lines.put(world, invoice, lines)


def _key(world: World, line: Line) -> _Key | None:
    made_for: dict[str, Any] = line["parent"]["subscription_item_details"] or {}
    priced = ((line["pricing"] or {}).get("price_details") or {}).get("price")
    if made_for.get("invoice_item") is not None or made_for.get("subscription_item") is None or priced is None:
        return None
    if world.ever("price", priced)["recurring"]["meter"] is None:
        return None
    return made_for["subscription_item"], priced, line["period"]["start"], line["period"]["end"]


def _measured(world: World, invoice: Document, key: _Key, lines: list[Line]) -> list[Line]:
    """The lines of an item's usage, by what is known of it now."""
    _, priced, start, end = key
    price = world.ever("price", priced)
    used = meter_event.usage(world, price["recurring"]["meter"], invoice["customer"], start, end)
    if used == sum(line["quantity"] for line in lines):
        return lines
    parts = price_costs.parts(price, invoice["currency"], used)
    kept = [line["id"] for line in lines]
    return [
        lines[0]
        | subscription_lines.of_part(world, price, part, part.amount, invoice["currency"])
        | {"id": kept.pop(0) if kept else world.mint("il_")}
        for part in parts
    ]


TASKS: dict[str, Any] = {invoicing.MEASURE: _measure}
