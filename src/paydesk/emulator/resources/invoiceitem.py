"""Invoice items: what a customer is to be charged for with the next invoice, or with a draft."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from paydesk.emulator.kernel import lists
from paydesk.emulator.kernel.document import Document
from paydesk.emulator.kernel.errors import StripeError, invalid, missing_param
from paydesk.emulator.kernel.fields import metadata
from paydesk.emulator.kernel.kinds import Kind
from paydesk.emulator.kernel.routes import Call, Route, retrieve, words
from paydesk.emulator.resources import invoice_discounts, invoice_lines, invoice_pricing, tax_rate
from paydesk.emulator.resources.customer_balance_transaction import check_one_currency
from paydesk.emulator.rules import quantities
from paydesk.emulator.rules.price_amounts import Under

if TYPE_CHECKING:
    from paydesk.emulator.kernel.world import World
    from paydesk.emulator.resources.invoice_pricing import Cost

INVOICEITEM = Kind(
    "invoiceitem",
    "ii_",
    filters=("customer", "invoice"),
    references={
        "customer": "customer",
        "discounts": "discount",
        "invoice": "invoice",
        "pricing.price_details.price": "price",
        "test_clock": "test_helpers.test_clock",
    },
)

NOT_MODELLED = {
    "tax_amounts": "taxes that were worked out elsewhere are not modelled, so the amount would be too low.",
}


def add(world: World, customer: Document, invoice: Document | None, given: dict[str, Any], under: Under) -> Document:
    """A new item, told as `invoiceitem.created`: on a draft, which gets its line, or waiting for the next invoice.

    Raises:
        StripeError: 400 where the cost is not clear, or in another currency than the customer is billed in.
    """
    currency = customer["currency"] if invoice is None else invoice["currency"]
    cost = invoice_pricing.cost(world, given, currency=currency, under=under)
    check_one_currency(customer, cost.currency)
    if invoice is not None and cost.currency != invoice["currency"]:
        raise invalid(
            f"The currency of the invoice item ({cost.currency}) must be that of the invoice ({invoice['currency']}).",
            param=under("currency"),
        )
    if customer["currency"] is None:
        customer["currency"] = cost.currency
        world.save(customer, "customer.updated")
    item = new(world, customer, invoice, given, cost, under)
    if given.get("subscription") is not None:
        owner = own_subscription(world, customer, given["subscription"], param=under("subscription"))
        item["parent"] = {"subscription_details": {"subscription": owner.id}, "type": "subscription_details"}
    invoice_discounts.take_for_item(world, item, given, under, () if invoice is None else invoice["discounts"])
    world.add(item, "invoiceitem.created")
    if invoice is not None:
        line = invoice_lines.from_item(world, item, invoice.id)
        invoice_lines.put(world, invoice, [*invoice_lines.of(invoice), line])
    return item


def charge(
    world: World, customer: Document, cost: Cost, *, description: str, tax_rates: list[dict[str, Any]]
) -> Document:
    """A new item over what is settled already, told as `invoiceitem.created`. It waits for an invoice."""
    item = new(world, customer, None, {"description": description}, cost, Under(""))
    item["tax_rates"] = tax_rates
    return world.add(item, "invoiceitem.created")


def add_priced(world: World, customer: Document, given: dict[str, Any], under: Under) -> Document:
    """A waiting item at a price, as subscriptions take them: `price` or `price_data`, and how many."""
    told = dict(given)
    if told.get("price") is not None:
        told["pricing"] = {"price": world.get("price", told.pop("price"), param=under("price")).id}
    told.pop("period", None)
    return add(world, customer, None, told, under)


def new(
    world: World, customer: Document, invoice: Document | None, given: dict[str, Any], cost: Cost, under: Under
) -> Document:
    """An item of this cost, as a request describes it otherwise; not kept yet."""
    is_discountable = given.get("discountable", cost.amount >= 0)
    return Document(
        {
            "id": world.mint("ii_"),
            "object": "invoiceitem",
            "amount": cost.amount,
            "currency": cost.currency,
            "customer": customer.id,
            "customer_account": None,
            "date": world.now,
            "description": given.get("description") or (None if "amount" in given else cost.name),
            "discountable": is_discountable,
            "discounts": [],
            "invoice": None if invoice is None else invoice.id,
            "livemode": world.livemode,
            "metadata": metadata({}, given.get("metadata", {})),
            **({} if is_discountable else {"net_amount": cost.amount}),
            "parent": None,
            "period": _period(world, given, under),
            "pricing": cost.pricing,
            "proration": False,
            **quantities.shown(cost.quantity),
            "tax_rates": tax_rate.chosen(world, given.get("tax_rates"), param=under("tax_rates")),
            "test_clock": customer["test_clock"],
        }
    )


def pending(world: World, customer: Document, currency: str) -> list[Document]:
    """The items that wait for the customer's next invoice, newest first."""
    found = world.having("invoiceitem", "customer", customer.id)
    return [item for item in found if item["invoice"] is None and item["currency"] == currency]


def awaiting(world: World, subscription: Document) -> list[Document]:
    """What the next invoice of a subscription takes in, oldest first: its own items and those of its customer alone."""
    customer = world.get("customer", subscription["customer"])
    found = pending(world, customer, subscription["currency"])[::-1]
    return [item for item in found if subscription_of(item) in (None, subscription.id)]


def own_subscription(world: World, customer: Document, identifier: str, *, param: str = "subscription") -> Document:
    """A customer's subscription. Raises 400 where it is somebody else's."""
    subscription = world.get("subscription", identifier, param=param)
    if subscription["customer"] != customer.id:
        raise invalid(f"The subscription {identifier} does not belong to customer {customer.id}.", param=param)
    return subscription


def subscription_of(item: Document) -> str | None:
    """The subscription an item was made for, if it was for one."""
    details: dict[str, Any] = (item["parent"] or {}).get("subscription_details") or {}
    return details.get("subscription")


def assign(world: World, item: Document, invoice: Document) -> invoice_lines.Line:
    """Take a waiting item into an invoice: the line it becomes there."""
    item["invoice"] = invoice.id
    world.save(item)
    return invoice_lines.from_item(world, item, invoice.id)


def change(world: World, item: Document, given: dict[str, Any], under: Under) -> None:
    """Change what a request says of an item, and save it."""
    if any(given.get(name) is not None for name in ("quantity", "quantity_decimal", *invoice_pricing.WAYS)):
        _price_anew(world, item, given, under)
    for name in ("description", "discountable"):
        if name in given:
            item[name] = given[name]
    item.pop("net_amount", None)
    if not item["discountable"]:
        item["net_amount"] = item["amount"]
    if "metadata" in given:
        item["metadata"] = metadata(item["metadata"], given["metadata"])
    if "tax_rates" in given:
        item["tax_rates"] = tax_rate.chosen(world, given["tax_rates"], param=under("tax_rates"))
    if given.get("period"):
        item["period"] = _period(world, given, under)
    invoice = None if item["invoice"] is None else world.find("invoice", item["invoice"])
    invoice_discounts.take_for_item(world, item, given, under, () if invoice is None else invoice["discounts"])
    world.save(item)


def draft_of(world: World, item: Document) -> Document | None:
    """The draft an item is on; None where it still waits for one.

    Raises:
        StripeError: 400 where its invoice can no longer be changed.
    """
    if item["invoice"] is None:
        return None
    invoice = world.find("invoice", item["invoice"])
    if invoice is None or invoice["status"] != "draft":
        raise not_editable()
    return invoice


def not_editable() -> StripeError:
    """400: the invoice has been finalised."""
    return StripeError("This invoice is no longer editable.", code="invoice_not_editable")


def _create(call: Call) -> Document:
    world, given = call.world, call.params
    invoice = None if given.get("invoice") is None else world.get("invoice", given["invoice"], param="invoice")
    owner = given.get("customer") or (None if invoice is None else invoice["customer"])
    if owner is None:
        raise missing_param("customer")
    customer = world.get("customer", owner, param="customer")
    if invoice is not None:
        if invoice["customer"] != customer.id:
            raise invalid(f"The invoice {invoice.id} does not belong to customer {customer.id}.", param="invoice")
        if invoice["status"] != "draft":
            raise not_editable()
    item = add(world, customer, invoice, given, Under(""))
    if invoice is not None:
        world.save(invoice, "invoice.updated")
    return item


def _update(call: Call) -> Document:
    world = call.world
    item = world.get("invoiceitem", call.path["invoiceitem"])
    invoice = draft_of(world, item)
    change(world, item, call.params, Under(""))
    if invoice is not None:
        refresh_line(world, invoice, item)
        world.save(invoice, "invoice.updated")
    return item


def refresh_line(world: World, invoice: Document, item: Document) -> None:
    """Repeat on the draft what has changed in the item."""
    lines = [
        line | invoice_lines.of_item(item) if invoice_lines.item_of(line) == item.id else line
        for line in invoice_lines.of(invoice)
    ]
    invoice_lines.put(world, invoice, lines)


def _delete(call: Call) -> dict[str, Any]:
    world = call.world
    item = world.get("invoiceitem", call.path["invoiceitem"])
    invoice = draft_of(world, item)
    stub = world.delete(item, "invoiceitem.deleted")
    if invoice is not None:
        left = [line for line in invoice_lines.of(invoice) if invoice_lines.item_of(line) != item.id]
        invoice_lines.put(world, invoice, left)
        world.save(invoice, "invoice.updated")
    return stub


def _list(call: Call) -> lists.Page:
    world, params = call.world, dict(call.params)
    if "pending" in params:
        rows = world.db.execute(
            "SELECT id FROM objects WHERE sandbox = ? AND kind = 'invoiceitem' AND deleted = 0 "
            "AND (json_extract(body, '$.invoice') IS NULL) = ?",
            (world.sandbox.number, params["pending"]),
        )
        params["id"] = [identifier for (identifier,) in rows]
    return lists.page(
        world, INVOICEITEM, call.url, params, narrowed_by=("customer", "customer_account", "invoice", "id")
    )


def _price_anew(world: World, item: Document, given: dict[str, Any], under: Under) -> None:
    if any(given.get(name) is not None for name in invoice_pricing.WAYS):
        quantity = Decimal(1 if "amount" in given else item["quantity_decimal"])
        cost = invoice_pricing.cost(world, given, currency=item["currency"], under=under, quantity=quantity)
    else:
        cost = invoice_pricing.of_item(world, item, given, under)
    item["pricing"] = cost.pricing
    item["amount"] = cost.amount
    item.update(quantities.shown(cost.quantity))


def _period(world: World, given: dict[str, Any], under: Under) -> dict[str, int]:
    period = given.get("period")
    if not period:
        return {"end": world.now, "start": world.now}
    if period["end"] < period["start"]:
        raise invalid("The period's end must not be before its start.", param=under("period[end]"))
    return {"end": period["end"], "start": period["start"]}


_COST = words("amount price_data pricing quantity quantity_decimal unit_amount_decimal")
_SETTABLE = _COST | words("description discountable discounts metadata period tax_rates")
_PATH = "/v1/invoiceitems/{invoiceitem}"
_AREA = INVOICEITEM.area

KINDS = (INVOICEITEM,)
ROUTES = (
    Route(
        "POST",
        "/v1/invoiceitems",
        _create,
        uses=_SETTABLE | words("currency customer invoice subscription"),
        refuses=NOT_MODELLED,
        area=_AREA,
    ),
    retrieve(_PATH, INVOICEITEM),
    Route("POST", _PATH, _update, uses=_SETTABLE, refuses=NOT_MODELLED, area=_AREA),
    Route("DELETE", _PATH, _delete, area=_AREA),
    Route(
        "GET",
        "/v1/invoiceitems",
        _list,
        uses=words("limit starting_after ending_before created customer customer_account invoice pending"),
        area=_AREA,
    ),
)
TASKS: dict[str, Any] = {}
