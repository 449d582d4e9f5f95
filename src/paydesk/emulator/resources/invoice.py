"""Invoices: what a customer owes, from the draft to the money."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from paydesk.emulator.kernel import lists
from paydesk.emulator.kernel.errors import StripeError, exclusive, invalid, missing_param
from paydesk.emulator.kernel.routes import Call, Route, retrieve, words
from paydesk.emulator.kernel.search import search
from paydesk.emulator.resources import (
    invoice_advance,
    invoice_collection,
    invoice_discounts,
    invoice_ending,
    invoice_line_edits,
    invoice_lines,
    invoice_preview,
    invoice_settling,
    invoice_shape,
    invoiceitem,
    invoicing,
    payment_method,
    subscription_shape,
)
from paydesk.emulator.resources.invoice_shape import INVOICE
from paydesk.emulator.rules import intents
from paydesk.emulator.rules.money import check_currency

if TYPE_CHECKING:
    from paydesk.emulator.kernel.document import Document

# What can still be said of an invoice once it is finalised.
_ALWAYS_SETTABLE = words("auto_advance default_payment_method default_source expand metadata payment_settings")


def _create(call: Call) -> Document:
    world, given = call.world, call.params
    if given.get("customer") is None:
        raise missing_param("customer")
    customer = world.get("customer", given["customer"], param="customer")
    if given.get("currency") is not None:
        given["currency"] = check_currency(given["currency"])
    if given.get("subscription") is not None:
        return _of_subscription(call, customer)
    waiting: list[Document] = []
    if given.get("pending_invoice_items_behavior") == "include":
        waiting = invoiceitem.pending(world, customer, given.get("currency") or customer["currency"] or "usd")
    return invoicing.draft(world, customer, given, waiting=waiting, echo=call.echo)


def _of_subscription(call: Call, customer: Document) -> Document:
    """What waits for a subscription's next invoice, billed before it."""
    world, given = call.world, call.params
    subscription = invoiceitem.own_subscription(world, customer, given["subscription"])
    waiting = [
        item
        for item in invoiceitem.awaiting(world, subscription)
        if invoiceitem.subscription_of(item) == subscription.id
    ]
    if not waiting:
        raise invalid("Nothing to invoice for subscription", code="invoice_no_subscription_line_items")
    parent = subscription_shape.details(subscription)
    told = given | {"currency": subscription["currency"]}
    return invoicing.draft(world, customer, told, parent=parent, waiting=waiting, echo=call.echo)


def _update(call: Call) -> Document:
    world, given = call.world, call.params
    invoice = _acted_on(call)
    if invoice["status"] != "draft":
        for name in given:
            if name not in _ALWAYS_SETTABLE:
                raise invalid("Finalized invoices can't be updated in this way", param=name)
    customer = world.get("customer", invoice["customer"], param="customer")
    invoice_shape.take(world, invoice, customer, given)
    if invoice["status"] == "draft":
        invoice_discounts.take(world, invoice, given, invoice_lines.of(invoice))
        invoice_lines.weigh(world, invoice)
    call.echo(invoice)
    world.save(invoice, "invoice.updated")
    invoicing.plan(world, invoice)
    return invoice


def _delete(call: Call) -> dict[str, Any]:
    world = call.world
    invoice = world.get("invoice", call.path["invoice"])
    if invoice["status"] != "draft":
        raise invalid("You can only delete draft invoices.")
    world.unschedule(invoicing.FINALIZE, invoice.id)
    return world.delete(invoice, "invoice.deleted")


def _finalize(call: Call) -> Document:
    invoice = _acted_on(call)
    invoicing.finalize(call.world, invoice, advances=call.params.get("auto_advance"))
    return invoice


def _pay(call: Call) -> Document:
    world, given = call.world, call.params
    invoice = _acted_on(call)
    if invoice["status"] == "paid":
        raise invalid("Invoice is already paid")
    if invoice["status"] == "void":
        raise invalid(invoicing.NOT_OPEN)
    if invoice["status"] == "draft":
        invoicing.finalize(world, invoice)
        if invoice["status"] == "paid":
            return invoice
    if given.get("paid_out_of_band"):
        invoicing.pay_out_of_band(world, invoice)
        return invoice
    method = _method(call, invoice)
    invoice_collection.charge(
        world, invoice, method, is_automatic=False, off_session=given.get("off_session") is not False
    )
    intent = invoice_collection.intent_of(world, invoice)
    if intent["status"] == "requires_action":
        raise invoice_collection.needs_payer(invoice, intent)
    return invoice


def _method(call: Call, invoice: Document) -> Document:
    world, named, source = call.world, call.params.get("payment_method"), call.params.get("source")
    if named is not None and source is not None:
        raise exclusive("payment_method", "source")
    if named is not None:
        return payment_method.named(world, named)
    if source is not None:
        card = world.get("card", source, param="source")
        if card["customer"] != invoice["customer"]:
            raise world.no_such("card", source, param="source")
        return payment_method.of_source(world, card)
    found = invoice_collection.method_of(world, invoice)
    if found is None:
        raise invoice_collection.no_method()
    return found


def _attach_payment(call: Call) -> Document:
    world, named = call.world, call.params.get("payment_intent")
    invoice = _acted_on(call)
    if named is None:
        raise missing_param("payment_intent")
    invoice_settling.attach(world, invoice, world.get("payment_intent", named, param="payment_intent"))
    return invoice


def _send(call: Call) -> Document:
    invoice = call.world.get("invoice", call.path["invoice"])
    invoicing.send(call.world, invoice)
    return invoice


def _void(call: Call) -> Document:
    invoice = _acted_on(call)
    invoicing.void(call.world, invoice)
    return invoice


def _mark_uncollectible(call: Call) -> Document:
    invoice = _acted_on(call)
    invoicing.mark_uncollectible(call.world, invoice)
    return invoice


def _list(call: Call) -> lists.Page:
    return lists.page(call.world, INVOICE, call.url, call.params, narrowed_by=_FILTERS)


def _acted_on(call: Call) -> Document:
    """The invoice in the path. Some endpoints call it `id` where it is missing."""
    found = call.world.find("invoice", call.path["invoice"])
    if found is None:
        refusal: StripeError = call.world.no_such("invoice", call.path["invoice"])
        refusal.param = "id"
        raise refusal
    return found


_FILTERS = (
    "collection_method",
    "customer",
    "customer_account",
    "due_date",
    "status",
    "subscription=parent.subscription_details.subscription",
)
_SETTABLE = words(
    "account_tax_ids auto_advance automatically_finalizes_at collection_method custom_fields days_until_due "
    "default_payment_method default_source default_tax_rates description discounts due_date effective_at footer "
    "metadata number payment_settings.default_mandate payment_settings.payment_method_types shipping_details "
    "statement_descriptor"
)
_REFUSED = {
    "application_fee_amount": intents.CONNECT,
    "automatic_tax.enabled": "taxes by address are not modelled, so the amount would be too low.",
    "customer_account": intents.CONNECT,
    "from_invoice": "revisions of invoices are not modelled.",
    "on_behalf_of": intents.CONNECT,
    "shipping_cost": "shipping costs are not modelled, so the amount would be too low.",
    "transfer_data": intents.CONNECT,
}
_PATH = "/v1/invoices/{invoice}"
_AREA = INVOICE.area

KINDS = (INVOICE, invoice_lines.LINE_ITEM)
ROUTES = (
    Route(
        "POST",
        "/v1/invoices",
        _create,
        uses=_SETTABLE | words("currency customer pending_invoice_items_behavior subscription"),
        refuses=_REFUSED,
        area=_AREA,
    ),
    search(
        "/v1/invoices/search",
        INVOICE,
        fields=(
            "created:number currency customer last_finalization_error_code:text metadata:map number receipt_number "
            "status subscription total:number"
        ),
    ),
    retrieve(_PATH, INVOICE),
    Route("POST", _PATH, _update, uses=_SETTABLE, refuses=_REFUSED, area=_AREA),
    Route("DELETE", _PATH, _delete, area=_AREA),
    Route("POST", _PATH + "/finalize", _finalize, uses=words("auto_advance"), area=_AREA),
    Route(
        "POST",
        _PATH + "/pay",
        _pay,
        # `forgive` is about sources that hold a balance of their own; no card and no bank account does.
        uses=words("off_session paid_out_of_band payment_method source"),
        area=_AREA,
    ),
    Route(
        "POST",
        _PATH + "/attach_payment",
        _attach_payment,
        uses=words("payment_intent"),
        refuses={"payment_record": "payment records are not modelled."},
        area=_AREA,
    ),
    Route("POST", _PATH + "/send", _send, area=_AREA),
    Route("POST", _PATH + "/void", _void, area=_AREA),
    Route("POST", _PATH + "/mark_uncollectible", _mark_uncollectible, area=_AREA),
    *invoice_line_edits.ROUTES,
    *invoice_preview.ROUTES,
    Route(
        "GET",
        "/v1/invoices",
        _list,
        uses=words(
            "limit starting_after ending_before created collection_method customer customer_account due_date status "
            "subscription"
        ),
        area=_AREA,
    ),
)
TASKS = invoice_advance.TASKS | invoice_collection.TASKS | invoice_ending.TASKS
