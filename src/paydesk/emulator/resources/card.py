"""Cards as customers kept them before there were payment methods: made from a token, charged as default source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel import lists
from paydesk.emulator.kernel.document import Document
from paydesk.emulator.kernel.errors import StripeError, missing_param
from paydesk.emulator.kernel.fields import metadata
from paydesk.emulator.kernel.ids import characters
from paydesk.emulator.kernel.kinds import Kind
from paydesk.emulator.kernel.routes import Call, Route, words
from paydesk.emulator.rules import cards
from paydesk.emulator.rules.card_entry import Entry, template

if TYPE_CHECKING:
    from paydesk.emulator.kernel.world import World

CARD = Kind("card", "card_", missing="No such source: '%s'", filters=("customer",), references={"customer": "customer"})
TOKEN = Kind("token", "tok_", missing="No such token: '%s'", missing_param="token")

_BRANDS: Final = {
    "amex": "American Express",
    "diners": "Diners Club",
    "discover": "Discover",
    "jcb": "JCB",
    "mastercard": "MasterCard",
    "unionpay": "UnionPay",
    "visa": "Visa",
}


# How billing details name the parts of a card's address.
_ADDRESS: Final = {
    "city": "address_city",
    "country": "address_country",
    "line1": "address_line1",
    "line2": "address_line2",
    "postal_code": "address_zip",
    "state": "address_state",
}


def address_of(source: Document) -> dict[str, Any]:
    """The holder's address, as billing details show it."""
    return {part: source[name] for part, name in _ADDRESS.items()}


def fingerprint(world: World, number: str) -> str:
    """The same for equal numbers in one sandbox, and telling nothing of them."""
    return characters(f"{world.sandbox.seed}:{number}", 0, 16)


def new(world: World, entry: Entry, given: dict[str, Any]) -> Document:
    """A card nobody owns yet; not kept yet. `given` holds the holder's name and address."""
    card, checks = entry.card, entry.card.checks
    return Document(
        {
            "id": world.mint("card_"),
            "object": "card",
            "address_city": given.get("address_city"),
            "address_country": given.get("address_country"),
            "address_line1": given.get("address_line1"),
            "address_line1_check": checks.line1 if given.get("address_line1") else None,
            "address_line2": given.get("address_line2"),
            "address_state": given.get("address_state"),
            "address_zip": given.get("address_zip"),
            "address_zip_check": checks.postal_code if given.get("address_zip") else None,
            "brand": _BRANDS.get(card.brand, "Unknown"),
            "country": card.country,
            "customer": None,
            "cvc_check": checks.cvc if entry.has_cvc else None,
            "dynamic_last4": None,
            "exp_month": entry.exp_month,
            "exp_year": entry.exp_year,
            "fingerprint": fingerprint(world, card.number),
            "funding": card.funding,
            "last4": card.last4,
            "metadata": {},
            "name": given.get("name"),
            "networks": {"preferred": None},
            "regulated_status": "unregulated",
            "tokenization_method": None,
        },
        {"number": card.number, "has_cvc": entry.has_cvc, "brand": card.brand},
    )


def from_token(world: World, identifier: str, *, param: str = "source") -> Document:
    """The card behind a token, which can be used this once, or behind a magic one, which can be used for ever."""
    magic = None if world.livemode else cards.by_alias(identifier.removeprefix("tok_"))
    if magic is not None:
        return new(world, template(magic, world.wall), {})
    token = world.find("token", identifier)
    if token is None:
        raise world.no_such("token", identifier, param=param)
    if token["used"]:
        raise StripeError(
            f"You cannot use a Stripe token more than once: {identifier}.", code="token_already_used", param=param
        )
    token["used"] = True
    world.save(token)
    return Document({**token["card"], "customer": None}, dict(token.private))


def for_customer(world: World, customer: Document, token: str, *, param: str = "source") -> Document:
    """A card made the customer's default source; neither is kept yet. The bank is asked, and may decline with 402."""
    source = from_token(world, token, param=param)
    decline = cards.of(source.private).at_attach
    if decline is not None:
        raise decline.error()
    source["customer"] = customer.id
    if customer["default_source"] is None:
        customer["default_source"] = source.id
    return source


def _create(call: Call) -> Document:
    world = call.world
    customer = world.get("customer", call.path["customer"])
    if "source" not in call.params:
        raise missing_param("source")
    source = for_customer(world, customer, call.params["source"])
    source["metadata"] = metadata({}, call.params.get("metadata", {}))
    world.add(source, "customer.source.created")
    world.save(customer, "customer.updated")
    return source


def _owned(call: Call) -> Document:
    customer = call.world.get("customer", call.path["customer"])
    source = call.world.get("card", call.path["id"])
    if source["customer"] != customer.id:
        raise call.world.no_such("card", source.id)
    return source


def _delete(call: Call) -> dict[str, Any]:
    world, source = call.world, _owned(call)
    stub = world.delete(source, "customer.source.deleted")
    customer = world.get("customer", call.path["customer"])
    if customer["default_source"] == source.id:
        others = world.having("card", "customer", customer.id)
        customer["default_source"] = next((other.id for other in others), None)
        world.save(customer, "customer.updated")
    return stub


def _list(call: Call) -> lists.Page:
    customer = call.world.get("customer", call.path["customer"])
    params = {**call.params, "customer": customer.id}
    return lists.page(call.world, CARD, call.url, params, narrowed_by=("customer",))


KINDS = (CARD,)
ROUTES = (
    Route("POST", "/v1/customers/{customer}/sources", _create, uses=words("metadata source"), area="customer"),
    Route(
        "GET",
        "/v1/customers/{customer}/sources",
        _list,
        uses=words("limit starting_after ending_before object"),
        area="customer",
    ),
    Route("GET", "/v1/customers/{customer}/sources/{id}", _owned, area="customer"),
    Route("DELETE", "/v1/customers/{customer}/sources/{id}", _delete, area="customer"),
)
TASKS: dict[str, Any] = {}
