"""A customer's tax id on the portal: one number of one type, told as the API tells it when it comes and goes."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from paydesk.emulator.kernel import contract
from paydesk.emulator.kernel.contract.shapes import Choice
from paydesk.emulator.resources import tax_id
from paydesk.emulator.rules import tax_ids

if TYPE_CHECKING:
    from collections.abc import Mapping

    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World

USUAL: Final = "eu_vat"


@cache
def types() -> dict[str, str]:
    """Every type of tax id, and what a person calls it: `eu_vat` is "EU VAT"."""
    operation = contract.operation("POST", "/v1/customers/{customer}/tax_ids")
    shape = operation.params.fields["type"] if operation is not None else None
    kinds = shape.values if isinstance(shape, Choice) else ()
    return {kind: name_of(kind) for kind in sorted(kinds)}


def name_of(kind: str) -> str:
    """What a person calls a type of tax id."""
    return kind.replace("_", " ").upper()


def held(world: World, customer: Document) -> Document | None:
    """The tax id that the form shows: the customer's first."""
    return next(iter(tax_id.of_customer(world, customer)), None)


def problem(typed: Mapping[str, str]) -> tuple[str, str] | None:
    """The field that is wrong, and what is wrong with it."""
    kind, value = typed["tax_type"], typed["tax_value"]
    if not value:
        return None
    if kind not in types():
        return "tax_type", "Choose what it is."
    if not tax_ids.is_valid(kind, value):
        return "tax_value", f"This does not look like a number of {name_of(kind)}."
    return None


def replace(world: World, customer: Document, typed: Mapping[str, str]) -> None:
    """Put what was typed in the place of what was there."""
    kind, value = typed["tax_type"], typed["tax_value"]
    before = held(world, customer)
    if before is not None:
        if value and (before["type"], before["value"]) == (kind, value):
            return
        tax_id.remove(world, before)
    if value:
        tax_id.add(world, kind, value, customer=customer)
