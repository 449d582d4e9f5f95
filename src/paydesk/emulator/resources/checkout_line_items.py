"""Line items: what a Checkout Session sells, how many of each, at which price.

They live inside their session, in the order they were given; the API shows them
only when asked, each with its price as that is now.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel.document import Document, to_text
from paydesk.emulator.kernel.errors import StripeError, exclusive, invalid, missing_param
from paydesk.emulator.kernel.fields import metadata
from paydesk.emulator.kernel.kinds import Kind
from paydesk.emulator.kernel.lists import LIMIT_DEFAULT, LIMIT_MAX, Page
from paydesk.emulator.resources import price, tax_rate
from paydesk.emulator.resources.checkout_validation import QUANTITY_MAX, check_number_of_lines
from paydesk.emulator.rules import price_costs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from paydesk.emulator.kernel.routes import Call
    from paydesk.emulator.kernel.world import World

ITEM = Kind("item", "li_", embeds=("price",))

Line = dict[str, Any]
# For the totals, not for the API: what a line costs (where that is due again and again: for a whole period), what it is
# taxed by, and what the taxes are.
_KEPT: Final = ("cost", "tax_rates", "taxes")


def lines_of(session: Document) -> list[Line]:
    """A session's line items as they are kept: like the API's, but with only the price's id, and with their taxes."""
    kept: list[Line] = session.private.get("lines", [])
    return kept


def create(world: World, given: Sequence[dict[str, Any]], mode: str, currency: str | None) -> list[Line]:
    """New line items for a session of this mode, all in one currency.

    Raises:
        StripeError: 400 for a price that is unknown, archived, of the wrong type or currency, or for a quantity.
    """
    lines: list[Line] = []
    for index, one in enumerate(given):
        line = _create(world, one, f"line_items[{index}]", mode, lines[0]["currency"] if lines else currency)
        lines.append(line)
    _check_together(world, lines, mode)
    return lines


def update(world: World, session: Document, given: Sequence[dict[str, Any]]) -> list[Line]:
    """The line items after an update: those named by id stay or change, the others are new, the rest goes."""
    kept = {line["id"]: line for line in lines_of(session)}
    lines: list[Line] = []
    for index, one in enumerate(given):
        where = f"line_items[{index}]"
        identifier = one.get("id")
        if identifier is None:
            lines.append(_create(world, one, where, session["mode"], session["currency"]))
            continue
        line = kept.get(identifier)
        if line is None:
            raise StripeError(f"No such line item: '{identifier}'", code="resource_missing", param=f"{where}[id]")
        lines.append(_changed(world, line, one, where, session))
    if not lines:
        raise missing_param("line_items")
    _check_together(world, lines, session["mode"])
    return lines


def with_quantity(world: World, line: Line, quantity: int) -> Line:
    """The line item with as many as the customer chose, within what the seller allows."""
    allowed = line["adjustable_quantity"] or {}
    if not allowed.get("enabled"):
        return line
    chosen = min(max(quantity, allowed["minimum"]), allowed["maximum"])
    return _priced(line | {"quantity": chosen}, world.ever("price", line["price"]))


def rhythm(world: World, line: Line) -> dict[str, Any] | None:
    """How often a line item is due: `recurring` of its price; None where it is paid once."""
    recurring: dict[str, Any] | None = world.ever("price", line["price"])["recurring"]
    return recurring


def each(world: World, line: Line) -> int | None:
    """What one piece costs; None where it is a fraction, is measured, or pieces are sold in packs or in bands."""
    priced = world.ever("price", line["price"])
    if priced["transform_quantity"] is not None or priced["billing_scheme"] == "tiered" or line["quantity"] is None:
        return None
    (part,) = price_costs.parts(priced, line["currency"], line["quantity"])
    return None if "." in part.unit_amount_decimal else int(part.unit_amount_decimal)


def shown(world: World, line: Line) -> dict[str, Any]:
    """A line item as the API shows it, with its price as that is now."""
    public = {name: value for name, value in line.items() if name not in _KEPT}
    return public | {"price": dict(world.ever("price", line["price"]))}


def page(call: Call, session: Document) -> Page:
    """The page of a session's line items that a request asks for, in the order of the session."""
    lines, params = lines_of(session), call.params
    limit = min(max(params.get("limit", LIMIT_DEFAULT), 1), LIMIT_MAX)
    after, before = params.get("starting_after"), params.get("ending_before")
    if after and before:
        raise invalid("Received both starting_after and ending_before parameters. Please pass in only one.")
    if before:
        end = _index(lines, before, "ending_before")
        start = max(0, end - limit)
        return _page(call, lines[start:end], has_more=start > 0)
    start = _index(lines, after, "starting_after") + 1 if after else 0
    return _page(call, lines[start : start + limit], has_more=len(lines) > start + limit)


def embedded(world: World, session: Document) -> dict[str, Any]:
    """The first line items as a list inside the session: what `expand[]=line_items` shows."""
    lines = lines_of(session)
    texts = [to_text(shown(world, line)) for line in lines[:LIMIT_DEFAULT]]
    return Page(f"/v1/checkout/sessions/{session.id}/line_items", texts, len(lines) > LIMIT_DEFAULT).value()


def _page(call: Call, lines: Sequence[Line], *, has_more: bool) -> Page:
    return Page(call.url, [to_text(shown(call.world, line)) for line in lines], has_more)


def _index(lines: Sequence[Line], identifier: str, param: str) -> int:
    for index, line in enumerate(lines):
        if line["id"] == identifier:
            return index
    raise StripeError(f"No such line item: '{identifier}'", code="resource_missing", param=param)


def _create(world: World, given: dict[str, Any], where: str, mode: str, currency: str | None) -> Line:
    priced = _price(world, given, where, mode, currency)
    product = world.get("product", priced["product"])
    line = {
        "id": world.mint("li_"),
        "object": "item",
        "adjustable_quantity": _adjustable(given.get("adjustable_quantity"), where),
        "amount_discount": 0,
        "amount_subtotal": 0,
        "amount_tax": 0,
        "amount_total": 0,
        "cost": 0,
        "currency": currency or priced["currency"],
        "description": product["name"],
        "metadata": metadata({}, given.get("metadata", {})),
        "price": priced["id"],
        "quantity": _quantity(given, where, priced),
        "tax_rates": tax_rate.chosen(world, given.get("tax_rates"), param=f"{where}[tax_rates]"),
        "taxes": [],
    }
    _check_allowed(line, where)
    return _priced(line, priced)


def _changed(world: World, line: Line, given: dict[str, Any], where: str, session: Document) -> Line:
    changed, priced = dict(line), world.ever("price", line["price"])
    if given.get("price") or given.get("price_data"):
        priced = _price(world, given, where, session["mode"], session["currency"])
        changed |= {"price": priced["id"], "description": world.get("product", priced["product"])["name"]}
    if "quantity" in given or is_metered(priced) != (line["quantity"] is None):
        changed["quantity"] = _quantity(given, where, priced)
    if "adjustable_quantity" in given:
        changed["adjustable_quantity"] = _adjustable(given["adjustable_quantity"], where)
    if "metadata" in given:
        changed["metadata"] = metadata(line["metadata"], given["metadata"])
    if "tax_rates" in given:
        changed["tax_rates"] = tax_rate.chosen(world, given["tax_rates"], param=f"{where}[tax_rates]")
    _check_allowed(changed, where)
    return _priced(changed, priced)


def _check_together(world: World, lines: Sequence[Line], mode: str) -> None:
    """Refuse lines that one session cannot sell together."""
    recurring = sum(1 for line in lines if rhythm(world, line) is not None)
    check_number_of_lines(mode, recurring, len(lines) - recurring)


def _price(world: World, given: dict[str, Any], where: str, mode: str, currency: str | None) -> Document:
    """The price a line item names or describes, if this session can sell at it."""
    if given.get("price") and given.get("price_data"):
        raise exclusive(f"{where}[price]", f"{where}[price_data]")
    if given.get("price"):
        priced = price.for_sale(world, given["price"], param=f"{where}[price]")
    elif given.get("price_data"):
        priced = price.create_inline(world, given["price_data"], param=f"{where}[price_data]")
    else:
        raise missing_param(f"{where}[price]")
    if mode == "payment" and priced["recurring"] is not None:
        raise invalid(
            "You specified `payment` mode but passed a recurring price. "
            "Either switch to `subscription` mode or use only one-time prices.",
            param=where,
        )
    if priced["custom_unit_amount"] is not None:
        raise invalid(
            "The local Stripe does not model prices whose amount the customer chooses in Checkout yet; they would go "
            "into emulator/resources/checkout_line_items.py.",
            param=f"{where}[price]",
        )
    price_costs.check(priced, currency or priced["currency"], param=f"{where}[price]")
    return priced


def is_metered(priced: Document) -> bool:
    """Whether what is used is measured, and billed afterwards."""
    return bool(priced["recurring"] is not None and priced["recurring"]["usage_type"] == "metered")


def _quantity(given: dict[str, Any], where: str, priced: Document) -> int | None:
    quantity = given.get("quantity")
    if is_metered(priced):
        if quantity is not None:
            raise invalid(
                f"Quantity should not be specified where usage_type is `metered`. Remove `quantity` from `{where}`",
                param=f"{where}[quantity]",
            )
        return None
    if quantity is None:
        raise invalid(f"Quantity is required. Add `quantity` to `{where}`", param=where)
    if quantity < 0 or (quantity == 0 and not (given.get("adjustable_quantity") or {}).get("enabled")):
        least = 0 if quantity < 0 and (given.get("adjustable_quantity") or {}).get("enabled") else 1
        raise _out_of_range(f"greater than or equal to {least}", f"{where}[quantity]")
    if quantity > QUANTITY_MAX:
        raise _out_of_range(f"less than or equal to {QUANTITY_MAX}", f"{where}[quantity]")
    return int(quantity)


def _adjustable(given: dict[str, Any] | None, where: str) -> dict[str, Any] | None:
    if given is None or not given["enabled"]:
        return None
    least, most = given.get("minimum", 0), given.get("maximum", 99)
    if least < 0:
        raise _out_of_range("greater than or equal to 0", f"{where}[adjustable_quantity][minimum]")
    if not 1 <= most <= QUANTITY_MAX:
        raise _out_of_range(f"less than or equal to {QUANTITY_MAX}", f"{where}[adjustable_quantity][maximum]")
    if least > most:
        raise _out_of_range(f"greater than or equal to {least}", f"{where}[adjustable_quantity][maximum]")
    return {"enabled": True, "maximum": most, "minimum": least}


def _check_allowed(line: Line, where: str) -> None:
    allowed = line["adjustable_quantity"]
    if allowed is not None and line["quantity"] is None:
        raise invalid(
            "`adjustable_quantity` cannot be used with a metered price: it is billed by what is used.",
            param=f"{where}[adjustable_quantity]",
        )
    if allowed is not None and not allowed["minimum"] <= line["quantity"] <= allowed["maximum"]:
        raise invalid(
            f"The quantity must be between {allowed['minimum']} and {allowed['maximum']}, "
            "the limits of `adjustable_quantity`.",
            param=f"{where}[quantity]",
        )


def _priced(line: Line, priced: Document) -> Line:
    # What is measured costs nothing in advance.
    many = line["quantity"]
    amount = 0 if many is None else price_costs.total(priced, line["currency"], many)
    return line | {"amount_subtotal": amount, "amount_total": amount, "cost": amount}


def _out_of_range(bound: str, param: str) -> StripeError:
    return invalid(f"This value must be {bound}.", param=param, code="parameter_invalid_integer")
