"""What was billed for each item of a subscription, second by second: a change gives back from that.

An entry is an amount for a whole period, with the time it counts for, from `since` until `until`: outside of that it
was never billed, or was given back already. So nothing is given back twice, nor what nobody was asked to pay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from paydesk.emulator.resources import subscription_items, subscription_periods
from paydesk.emulator.resources.subscription_prorations import Proration
from paydesk.emulator.rules.proration import Period, share

if TYPE_CHECKING:
    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World


def begin(item: Document, amount: int, period: Period, **how: Any) -> None:
    """A period was billed, in place of what was before; `how` tells by which lines of which invoice."""
    item.private["billed"] = []
    add(item, amount, period, period, **how)


def add(item: Document, amount: int, whole: Period, part: Period, **how: Any) -> None:
    """A part of a period was billed, all of which costs `amount`."""
    entry = {
        "amount": amount,
        "end": whole.end,
        "price": item["price"]["id"],
        "quantity": item["quantity"],
        "since": part.start,
        "start": whole.start,
        "until": part.end,
        **how,
    }
    item.private["billed"] = [*_entries(item), entry]


def note_source(item: Document, invoice_item: str) -> None:
    """What was added last was billed by this invoice item."""
    item.private["billed"][-1]["invoice_item"] = invoice_item


def forget(item: Document) -> None:
    """Whatever was billed, nothing is given back of it any more."""
    item.private.pop("billed", None)


def cut(item: Document, moment: int) -> None:
    """Nothing counts from a moment on."""
    short = [entry | {"until": min(entry["until"], moment)} for entry in _entries(item)]
    item.private["billed"] = [entry for entry in short if entry["since"] < entry["until"]]


def covers(item: Document, moment: int) -> bool:
    """Whether a moment was billed, and not given back."""
    return any(entry["since"] <= moment < entry["until"] for entry in _entries(item))


def given_back(world: World, subscription: Document, item: Document, moment: int) -> list[Proration]:
    """What is given back of an item from a moment on. The ledger stays as it is.

    Flexible subscriptions give back what was billed. Classic ones give back what the item costs now, whatever that was.
    """
    entries = [entry for entry in _entries(item) if entry["until"] > moment]
    if subscription["billing_mode"]["type"] == "classic":
        entries = _at_todays_cost(world, subscription, item, entries)
    found = []
    for entry in entries:
        rest = Period(max(entry["since"], moment), entry["until"])
        amount = share(-entry["amount"], Period(entry["start"], entry["end"]), rest)
        if amount:
            price = world.ever("price", entry["price"])
            rates = tuple(item["tax_rates"])
            found.append(Proration(item.id, price, entry["quantity"], amount, rest, rates, entry))
    return found


def owed(world: World, item: Document, cost: int, moment: int) -> list[Proration]:
    """What the rest of an item's period costs from a moment on, at this cost of all of it; noted as billed."""
    whole, period = subscription_periods.whole_of(item), subscription_periods.of(item)
    rest = Period(max(moment, period.start), period.end)
    amount = share(cost, whole, rest) if rest.start < rest.end else 0
    if not amount:
        return []
    add(item, cost, whole, rest)
    price = world.ever("price", item["price"]["id"])
    return [Proration(item.id, price, item["quantity"], amount, rest, tuple(item["tax_rates"]))]


def _at_todays_cost(
    world: World, subscription: Document, item: Document, entries: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    if not any(entry["amount"] for entry in entries):
        return []
    whole = subscription_periods.whole_of(item)
    return [
        entries[-1]
        | {
            "amount": subscription_items.net_costs(world, subscription, [item])[item.id],
            "end": whole.end,
            "price": item["price"]["id"],
            "quantity": item["quantity"],
            "since": min(entry["since"] for entry in entries),
            "start": whole.start,
        }
    ]


def _entries(item: Document) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = item.private.get("billed") or []
    return found
