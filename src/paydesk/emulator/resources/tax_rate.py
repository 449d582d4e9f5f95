"""Tax rates: what a tax is called, where it is due, and how much of a price it is. Its percentage never changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from paydesk.emulator.kernel.document import Document
from paydesk.emulator.kernel.errors import invalid
from paydesk.emulator.kernel.fields import metadata
from paydesk.emulator.kernel.kinds import Kind
from paydesk.emulator.kernel.routes import Call, Route, listing, retrieve, words
from paydesk.emulator.resources.coupon import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from paydesk.emulator.kernel.world import World

TAX_RATE = Kind("tax_rate", "txr_", filters=("active", "inclusive"))


def chosen(world: World, identifiers: Sequence[str] | None, *, param: str) -> list[dict[str, Any]]:
    """The tax rates that a request names, whole, as what they are applied to shows them.

    Raises:
        StripeError: 400 for one that does not exist, or was archived.
    """
    rates = []
    for place, identifier in enumerate(identifiers or ()):
        rate = world.get("tax_rate", identifier, param=f"{param}[{place}]")
        if not rate["active"]:
            raise invalid(
                f"The tax rate {rate.id} has been archived and can no longer be applied.", param=f"{param}[{place}]"
            )
        rates.append(dict(rate))
    return rates


def _create(call: Call) -> Document:
    world, given = call.world, call.params
    if not 0 <= given["percentage"] <= 100:
        raise invalid("Invalid percentage: must be between 0 and 100", param="percentage")
    rate = Document(
        {
            "id": world.mint("txr_"),
            "object": "tax_rate",
            "active": given.get("active", True),
            "country": given.get("country"),
            "created": world.now,
            "description": given.get("description"),
            "display_name": given["display_name"],
            "effective_percentage": None,
            "flat_amount": None,
            "inclusive": given["inclusive"],
            "jurisdiction": given.get("jurisdiction"),
            "jurisdiction_level": None,
            "livemode": world.livemode,
            "metadata": metadata({}, given.get("metadata", {})),
            "percentage": plain(given["percentage"]),
            "rate_type": "percentage",
            "state": given.get("state"),
            "tax_type": given.get("tax_type"),
        }
    )
    return world.add(rate, "tax_rate.created")


def _update(call: Call) -> Document:
    world, given = call.world, call.params
    rate = world.get("tax_rate", call.path["tax_rate"])
    if given.get("display_name", "there") is None:
        raise invalid("The display_name cannot be blank.", code="parameter_invalid_string_blank", param="display_name")
    for name in _SETTABLE & given.keys():
        rate[name] = metadata(rate["metadata"], given[name]) if name == "metadata" else given[name]
    world.save(rate, "tax_rate.updated")
    return rate


_SETTABLE = words("active country description display_name jurisdiction metadata state tax_type")

KINDS = (TAX_RATE,)
ROUTES = (
    Route("POST", "/v1/tax_rates", _create, uses=_SETTABLE | words("inclusive percentage"), area="tax_rate"),
    retrieve("/v1/tax_rates/{tax_rate}", TAX_RATE),
    Route("POST", "/v1/tax_rates/{tax_rate}", _update, uses=_SETTABLE, area="tax_rate"),
    listing("/v1/tax_rates", TAX_RATE, filters="active inclusive"),
)
TASKS: dict[str, Any] = {}
