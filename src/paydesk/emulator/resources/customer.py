"""Customers: who pays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel.document import Document
from paydesk.emulator.kernel.errors import StripeError, invalid
from paydesk.emulator.kernel.fields import address, metadata
from paydesk.emulator.kernel.kinds import Kind
from paydesk.emulator.kernel.lists import kept, nested
from paydesk.emulator.kernel.routes import Call, Route, listing, retrieve, words
from paydesk.emulator.kernel.search import search
from paydesk.emulator.resources import card, customer_balance_transaction, payment_method, tax_id, test_clock
from paydesk.emulator.resources.subscription_shape import ENDED, SUBSCRIPTION
from paydesk.emulator.rules.addresses import check_email

if TYPE_CHECKING:
    from paydesk.emulator.kernel.world import World

# Done with the id of a customer who is about to be deleted.
LEAVES: Final = "subscription.customer_leaves"
_NAMES = words("business_name individual_name")
_PLAIN = words("balance description email name next_invoice_sequence phone preferred_locales tax_exempt")


def _subscriptions(world: World, customer: Document) -> dict[str, Any]:
    """What a customer subscribes to, newest first: what has ended is not in it."""
    live = [one for one in world.having("subscription", "customer", customer["id"]) if one["status"] not in ENDED]
    return kept(live, {}, f"/v1/customers/{customer['id']}/subscriptions", SUBSCRIPTION).value()


CUSTOMER = Kind(
    "customer",
    "cus_",
    filters=("email", "test_clock"),
    references={
        "default_source": "card",
        "invoice_settings.default_payment_method": "payment_method",
        "test_clock": "test_helpers.test_clock",
    },
    includes={
        "invoice_credit_balance": lambda world, customer: {},
        "sources": lambda world, customer: nested(
            world, card.CARD, f"/v1/customers/{customer['id']}/sources", "customer", customer["id"]
        ),
        "subscriptions": _subscriptions,
        "tax": lambda world, customer: {
            "automatic_tax": "not_collecting",
            "ip_address": None,
            "location": None,
            "provider": "stripe",
        },
        "tax_ids": tax_id.embedded,
    },
    answers_when_deleted=True,
)


def new(world: World, given: dict[str, Any]) -> Document:
    """A customer as the API and the pages make them; not kept yet."""
    customer = Document(
        {
            "id": world.mint("cus_"),
            "object": "customer",
            "address": address(given.get("address")),
            "balance": given.get("balance", 0),
            "created": world.now,
            "currency": None,
            "customer_account": None,
            "default_source": None,
            "delinquent": False,
            "description": given.get("description"),
            "discount": None,
            "email": given.get("email"),
            "invoice_prefix": given.get("invoice_prefix", world.characters(8).upper()),
            "invoice_settings": {
                "custom_fields": None,
                "default_payment_method": None,
                "footer": None,
                "rendering_options": None,
            },
            "livemode": world.livemode,
            "metadata": metadata({}, given.get("metadata", {})),
            "name": given.get("name"),
            "next_invoice_sequence": given.get("next_invoice_sequence", 1),
            "phone": given.get("phone"),
            "preferred_locales": given.get("preferred_locales") or [],
            "shipping": _shipping(given.get("shipping")),
            "tax_exempt": given.get("tax_exempt") or "none",
            "test_clock": None,
        }
    )
    _take_names(customer, given)
    return customer


def add_untold(world: World, given: dict[str, Any]) -> Document:
    """Keep a new customer whom a payment is to be charged to: Stripe tells of the charge first, then of them."""
    customer = new(world, given)
    customer.private["is_untold"] = True
    return world.add(customer)


def introduce(world: World, identifier: str | None) -> None:
    """Tell of a customer, if there is one of whom nobody was told yet."""
    customer = None if identifier is None else world.find("customer", identifier)
    if customer is not None and customer.private.pop("is_untold", False):
        world.save(customer)
        world.emit("customer.created", customer)


def _create(call: Call) -> Document:
    world, given = call.world, call.params
    if given.get("email") is not None:
        check_email(given["email"], param="email")
    clock = test_clock.take_in(world, given["test_clock"]) if given.get("test_clock") else None
    customer = new(world, given)
    customer["test_clock"] = clock
    source = card.for_customer(world, customer, given["source"]) if given.get("source") else None
    if given.get("payment_method"):
        method = payment_method.named(world, given["payment_method"])
        payment_method.attach(world, method, customer)
        settings = given.get("invoice_settings") or {}
        if settings.get("default_payment_method") == given["payment_method"]:
            # A magic id names a new payment method each time: the default is the one just attached.
            settings["default_payment_method"] = method.id
    _set_default_payment_method(world, customer, given)
    call.echo(customer)
    _move_balance(world, customer, from_balance=0, type="initial")
    world.add(customer, "customer.created")
    tax_id.give(world, customer, given.get("tax_id_data") or (), param="tax_id_data")
    if source is not None:
        world.add(source, "customer.source.created")
    return customer


def update(world: World, customer: Document, given: dict[str, Any]) -> None:
    """Change what the API and the pages may: `given` are the parameters of an update request.

    Raises:
        StripeError: 400 for what cannot be.
    """
    _change(world, customer, given)
    world.save(customer, "customer.updated")


def _update(call: Call) -> Document:
    world = call.world
    if world.was_deleted("customer", call.path["customer"]):
        raise StripeError(CUSTOMER.no_such(call.path["customer"]), code="resource_missing", param="id")
    customer = world.get("customer", call.path["customer"])
    _change(world, customer, call.params)
    call.echo(customer)
    world.save(customer, "customer.updated")
    return customer


def _change(world: World, customer: Document, given: dict[str, Any]) -> None:
    if given.get("email") is not None:
        check_email(given["email"], param="email")
    balance = customer["balance"]
    for name in _PLAIN & given.keys():
        customer[name] = given[name]
    _take_names(customer, given)
    if "metadata" in given:
        customer["metadata"] = metadata(customer["metadata"], given["metadata"])
    if "address" in given:
        customer["address"] = address(given["address"], customer["address"])
    if "shipping" in given:
        customer["shipping"] = _shipping(given["shipping"], customer["shipping"])
    if given.get("default_source"):
        customer["default_source"] = _own_source(world, customer, given["default_source"])
    if given.get("source"):
        _replace_source(world, customer, given["source"])
    _set_default_payment_method(world, customer, given)
    _move_balance(world, customer, from_balance=balance, type="adjustment")


def _delete(call: Call) -> dict[str, Any]:
    world = call.world
    customer = world.get("customer", call.path["customer"])
    methods = list(world.having("payment_method", "customer", customer.id))
    sources = list(world.having("card", "customer", customer.id))
    world.perform(LEAVES, customer.id)
    stub = world.delete(customer, "customer.deleted")
    tax_id.forget(world, customer)
    for method in methods:
        payment_method.detach(world, method)
    for source in sources:
        world.delete(source, "customer.source.deleted")
    return stub


def _move_balance(world: World, customer: Document, *, from_balance: int, type: str) -> None:  # noqa: A002 - Stripe's own name
    """Every movement of the balance has its transaction, one that a request asked for by the sum too."""
    moved = customer["balance"] - from_balance
    if moved:
        customer["balance"] = from_balance
        customer_balance_transaction.move(world, customer, moved, type=type)


def _take_names(customer: Document, given: dict[str, Any]) -> None:
    """The names that a customer shows only where it has them."""
    for name in _NAMES & given.keys():
        customer.pop(name, None)
        if given[name] is not None:
            customer[name] = given[name]


def _own_source(world: World, customer: Document, identifier: str) -> str:
    source = world.get("card", identifier, param="default_source")
    if source["customer"] != customer.id:
        raise world.no_such("card", identifier, param="default_source")
    return source.id


def _replace_source(world: World, customer: Document, token: str) -> None:
    """A card given with an update takes the place of the default one, which is deleted."""
    old = None if customer["default_source"] is None else world.find("card", customer["default_source"])
    customer["default_source"] = None
    world.add(card.for_customer(world, customer, token), "customer.source.created")
    if old is not None:
        world.delete(old, "customer.source.deleted")


def _set_default_payment_method(world: World, customer: Document, given: dict[str, Any]) -> None:
    settings = given.get("invoice_settings") or {}
    if "default_payment_method" not in settings:
        return
    identifier = settings["default_payment_method"]
    if identifier is not None:
        method = world.find("payment_method", identifier)
        if method is None or method["customer"] != customer["id"]:
            raise invalid(
                f"The customer does not have a payment method with the ID {identifier}. "
                "The payment method must be attached to the customer.",
                param="invoice_settings[default_payment_method]",
                code="resource_missing",
            )
    customer["invoice_settings"]["default_payment_method"] = identifier


def _shipping(given: dict[str, Any] | None, old: dict[str, Any] | None = None) -> dict[str, Any] | None:
    if given is None:
        return None
    old = old or {}
    return {
        "address": address(given.get("address", {}), old.get("address")),
        "name": given.get("name", old.get("name")),
        "phone": given.get("phone", old.get("phone")),
    }


_SETTABLE = (
    _NAMES | _PLAIN | words("address invoice_prefix invoice_settings.default_payment_method metadata shipping source")
)

KINDS = (CUSTOMER,)
ROUTES = (
    Route(
        "POST",
        "/v1/customers",
        _create,
        uses=_SETTABLE | words("payment_method tax_id_data test_clock"),
        area="customer",
    ),
    search(
        "/v1/customers/search",
        CUSTOMER,
        fields="created:number email:text metadata:map name:text phone:text",
    ),
    retrieve("/v1/customers/{customer}", CUSTOMER),
    Route(
        "POST",
        "/v1/customers/{customer}",
        _update,
        uses=_SETTABLE - {"invoice_prefix"} | {"default_source"},
        area="customer",
    ),
    Route("DELETE", "/v1/customers/{customer}", _delete, area="customer"),
    listing("/v1/customers", CUSTOMER, filters="email test_clock", on_clocks_if="test_clock"),
)
TASKS: dict[str, Any] = {}
