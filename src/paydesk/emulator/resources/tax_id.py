"""Tax ids: the number by which a tax authority knows a customer, or the business itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel import lists
from paydesk.emulator.kernel.document import Document
from paydesk.emulator.kernel.errors import invalid, missing_param
from paydesk.emulator.kernel.kinds import Kind
from paydesk.emulator.kernel.routes import Call, Route, retrieve, words
from paydesk.emulator.rules import intents, tax_ids

if TYPE_CHECKING:
    from collections.abc import Iterable

    from paydesk.emulator.kernel.world import World

TAX_ID = Kind(
    "tax_id",
    "txi_",
    filters=("customer", "owner.type"),
    references={"customer": "customer", "owner.customer": "customer"},
)

_CHECK: Final = "tax_id.check"
# An authority takes a moment, and may take days; whoever tests this pushes the clock for neither.
_ANSWERS_AFTER_SECONDS: Final = 5


def give(world: World, customer: Document, given: Iterable[dict[str, Any]], *, param: str) -> None:
    """Note the tax ids a new customer comes with. The customer is kept already."""
    for place, one in enumerate(given):
        add(world, one["type"], one["value"], customer=customer, param=f"{param}[{place}][value]")


def add(world: World, kind: str, value: str, *, customer: Document | None, param: str = "value") -> Document:
    """Note a tax id of a customer, or with None of the business.

    Raises:
        StripeError: 400 where the number is none of its type.
    """
    if not tax_ids.is_valid(kind, value):
        raise invalid(f"Invalid value for {kind}.", code="tax_id_invalid", param=param)
    identifier = None if customer is None else customer.id
    is_checked = tax_ids.is_checked(kind)
    made = Document(
        {
            "id": world.mint("txi_"),
            "object": "tax_id",
            "country": tax_ids.country(kind, value),
            "created": world.wall,
            "customer": identifier,
            "customer_account": None,
            "livemode": world.livemode,
            "owner": _owner(identifier),
            "type": kind,
            "value": value,
            "verification": {
                "status": "pending" if is_checked else tax_ids.UNAVAILABLE,
                "verified_address": None,
                "verified_name": None,
            },
        }
    )
    if customer is not None and is_checked:
        world.schedule(world.wall + _ANSWERS_AFTER_SECONDS, _CHECK, made.id, by_wall=True)
    return world.add(made, "customer.tax_id.created" if customer is not None else None)


def remove(world: World, found: Document) -> dict[str, Any]:
    """Forget a tax id. Invoices that were finalised keep showing it."""
    world.unschedule(_CHECK, found.id)
    return world.delete(found, "customer.tax_id.deleted" if found["customer"] is not None else None)


def forget(world: World, customer: Document) -> None:
    """The tax ids of a customer who was deleted go with them, without a word."""
    for found in of_customer(world, customer):
        world.unschedule(_CHECK, found.id)
        world.delete(found)


def own(world: World, identifiers: Iterable[str] | None, *, param: str) -> list[str] | None:
    """The tax ids of the business that a request names; None where it unsets them.

    Raises:
        StripeError: 400 for one that is not there, or is a customer's.
    """
    if identifiers is None:
        return None
    named = []
    for place, identifier in enumerate(identifiers):
        found = world.get("tax_id", identifier, param=f"{param}[{place}]")
        if found["customer"] is not None:
            raise world.no_such("tax_id", identifier, param=f"{param}[{place}]")
        named.append(found.id)
    return named


def of_customer(world: World, customer: Document) -> list[Document]:
    """A customer's tax ids, the oldest first."""
    return list(world.having("tax_id", "customer", customer.id))[::-1]


def shown(world: World, customer: Document) -> list[dict[str, str]]:
    """A customer's tax ids as their invoices show them."""
    return [{"type": found["type"], "value": found["value"]} for found in of_customer(world, customer)]


def embedded(world: World, customer: Document) -> dict[str, Any]:
    """The tax ids as a list inside their customer: what `expand[]=tax_ids` shows."""
    return lists.nested(world, TAX_ID, f"/v1/customers/{customer.id}/tax_ids", "customer", customer.id)


def _owner(customer: str | None) -> dict[str, Any]:
    if customer is None:
        return {"customer_account": None, "type": "self"}
    return {"customer": customer, "customer_account": None, "type": "customer"}


def _create(call: Call) -> Document:
    world, given = call.world, call.params
    return add(world, given["type"], given["value"], customer=_owned_by(world, given.get("owner")))


def _owned_by(world: World, owner: dict[str, Any] | None) -> Document | None:
    """The customer a request speaks of; None for the business itself."""
    if owner is None or owner["type"] == "self":
        return None
    if owner["type"] != "customer":
        raise invalid(
            f"The local Stripe does not model tax ids of owners of type `{owner['type']}` yet: {intents.CONNECT}",
            param="owner[type]",
        )
    if owner.get("customer") is None:
        raise missing_param("owner[customer]")
    return world.get("customer", owner["customer"], param="owner[customer]")


def _list(call: Call) -> lists.Page:
    customer = _owned_by(call.world, call.params.get("owner"))
    narrowed = {"owner": {"type": "self"}} if customer is None else {"customer": customer.id}
    by = ("owner.type",) if customer is None else ("customer",)
    return lists.page(call.world, TAX_ID, call.url, call.params | narrowed, narrowed_by=by)


def _delete(call: Call) -> dict[str, Any]:
    return remove(call.world, call.world.get("tax_id", call.path["id"]))


def _create_for_customer(call: Call) -> Document:
    world, given = call.world, call.params
    return add(world, given["type"], given["value"], customer=world.get("customer", call.path["customer"]))


def _list_for_customer(call: Call) -> lists.Page:
    customer = call.world.get("customer", call.path["customer"])
    return lists.page(call.world, TAX_ID, call.url, call.params | {"customer": customer.id}, narrowed_by=("customer",))


def _for_customer(call: Call) -> Document:
    world = call.world
    customer = world.get("customer", call.path["customer"])
    found = world.get("tax_id", call.path["id"])
    if found["customer"] != customer.id:
        raise world.no_such("tax_id", call.path["id"])
    return found


def _delete_for_customer(call: Call) -> dict[str, Any]:
    return remove(call.world, _for_customer(call))


def _check(world: World, subject: str) -> None:
    """The authority has answered."""
    found = world.find("tax_id", subject)
    if found is None:
        return
    found["verification"]["status"] = verdict = tax_ids.verdict(found["value"])
    if verdict == "verified":
        customer = world.get("customer", found["customer"])
        found["verification"]["verified_name"] = customer["name"]
    world.save(found, "customer.tax_id.updated")


_PAGE = words("limit starting_after ending_before")
_OF_CUSTOMER = "/v1/customers/{customer}/tax_ids"

KINDS = (TAX_ID,)
ROUTES = (
    Route("POST", _OF_CUSTOMER, _create_for_customer, uses=words("type value"), area="customer"),
    Route("GET", _OF_CUSTOMER, _list_for_customer, uses=_PAGE, area="customer"),
    Route("GET", _OF_CUSTOMER + "/{id}", _for_customer, area="customer"),
    Route("DELETE", _OF_CUSTOMER + "/{id}", _delete_for_customer, area="customer"),
    Route(
        "POST",
        "/v1/tax_ids",
        _create,
        uses=words("owner type value"),
        refuses={"owner.account": intents.CONNECT, "owner.customer_account": intents.CONNECT},
        area=TAX_ID.area,
    ),
    Route(
        "GET",
        "/v1/tax_ids",
        _list,
        uses=_PAGE | {"owner"},
        refuses={"owner.account": intents.CONNECT, "owner.customer_account": intents.CONNECT},
        area=TAX_ID.area,
    ),
    retrieve("/v1/tax_ids/{id}", TAX_ID),
    Route("DELETE", "/v1/tax_ids/{id}", _delete, area=TAX_ID.area),
)
TASKS: dict[str, Any] = {_CHECK: _check}
