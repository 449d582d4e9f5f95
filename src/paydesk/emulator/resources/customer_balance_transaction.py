"""Movements of a customer's balance: what they are owed (below zero), or owe, when the next invoice comes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from paydesk.emulator.kernel import lists
from paydesk.emulator.kernel.document import Document
from paydesk.emulator.kernel.errors import invalid
from paydesk.emulator.kernel.fields import metadata
from paydesk.emulator.kernel.kinds import Kind
from paydesk.emulator.kernel.routes import Call, Route, words
from paydesk.emulator.rules.money import check_currency

if TYPE_CHECKING:
    from paydesk.emulator.kernel.world import World

CUSTOMER_BALANCE_TRANSACTION = Kind(
    "customer_balance_transaction",
    "cbtxn_",
    missing="No such customer balance transaction: '%s'",
    filters=("customer", "invoice"),
    references={"credit_note": "credit_note", "customer": "customer", "invoice": "invoice"},
)
_CURRENCY_DEFAULT = "usd"


def move(
    world: World,
    customer: Document,
    amount: int,
    *,
    type: str,  # noqa: A002 - Stripe's own name
    currency: str | None = None,
    invoice: str | None = None,
    credit_note: str | None = None,
    given: dict[str, Any] | None = None,
) -> Document:
    """Note a movement of the balance and its reason. The customer is changed, and not yet saved."""
    given = given or {}
    check_one_currency(customer, currency)
    customer["currency"] = customer["currency"] or currency or _CURRENCY_DEFAULT
    customer["balance"] += amount
    return world.add(
        Document(
            {
                "id": world.mint("cbtxn_"),
                "object": "customer_balance_transaction",
                "amount": amount,
                "checkout_session": None,
                "created": world.now,
                "credit_note": credit_note,
                "currency": customer["currency"],
                "customer": customer.id,
                "customer_account": None,
                "description": given.get("description"),
                "ending_balance": customer["balance"],
                "invoice": invoice,
                "livemode": world.livemode,
                "metadata": metadata({}, given.get("metadata", {})),
                "type": type,
            }
        )
    )


def check_one_currency(customer: Document, currency: str | None) -> None:
    """Refuse to bill a customer in a second currency."""
    held = customer["currency"]
    if currency is not None and held is not None and held != currency:
        raise invalid(
            "You cannot combine currencies on a single customer. This customer has had a subscription, coupon, or "
            f"invoice item with currency {held}",
            param="currency",
        )


def _create(call: Call) -> Document:
    world, given = call.world, call.params
    customer = world.get("customer", call.path["customer"])
    currency = check_currency(given["currency"])
    made = move(world, customer, given["amount"], type="adjustment", currency=currency, given=given)
    world.save(customer, "customer.updated")
    return made


def _of_customer(call: Call) -> Document:
    customer = call.world.get("customer", call.path["customer"])
    found = call.world.find("customer_balance_transaction", call.path["transaction"])
    if found is None or found["customer"] != customer.id:
        raise call.world.no_such("customer_balance_transaction", call.path["transaction"])
    return found


def _update(call: Call) -> Document:
    found = _of_customer(call)
    if "description" in call.params:
        found["description"] = call.params["description"]
    if "metadata" in call.params:
        found["metadata"] = metadata(found["metadata"], call.params["metadata"])
    call.world.save(found)
    return found


def _list(call: Call) -> lists.Page:
    customer = call.world.get("customer", call.path["customer"])
    params = call.params | {"customer": customer.id}
    return lists.page(call.world, CUSTOMER_BALANCE_TRANSACTION, call.url, params, narrowed_by=("customer", "invoice"))


_PATH = "/v1/customers/{customer}/balance_transactions"
_AREA = "customer"

KINDS = (CUSTOMER_BALANCE_TRANSACTION,)
ROUTES = (
    Route("POST", _PATH, _create, uses=words("amount currency description metadata"), area=_AREA),
    Route("GET", _PATH, _list, uses=words("limit starting_after ending_before created invoice"), area=_AREA),
    Route("GET", _PATH + "/{transaction}", _of_customer, area=_AREA),
    Route("POST", _PATH + "/{transaction}", _update, uses=words("description metadata"), area=_AREA),
)
TASKS: dict[str, Any] = {}
