"""What an invoice looks like, and what a caller may say of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel.document import Document
from paydesk.emulator.kernel.errors import exclusive, invalid
from paydesk.emulator.kernel.fields import metadata
from paydesk.emulator.kernel.kinds import Kind
from paydesk.emulator.resources import account, invoice_payment, tax_id, tax_rate
from paydesk.emulator.resources.charge import shipping
from paydesk.emulator.rules.invoice_attempts import FINALIZES_AFTER_SECONDS, RESTS_SECONDS

if TYPE_CHECKING:
    from paydesk.emulator.kernel.world import World


def _confirmation_secret(world: World, invoice: Document) -> dict[str, Any] | None:
    """What a payer's browser confirms with; None (it stays absent) where there is nothing to pay."""
    payment = invoice_payment.default_of(world, invoice)
    if invoice["status"] not in ("open", "uncollectible") or payment is None:
        return None
    intent = world.get("payment_intent", payment["payment"]["payment_intent"])
    return {"client_secret": intent["client_secret"], "type": "payment_intent"}


INVOICE = Kind(
    "invoice",
    "in_",
    missing_param="invoice",
    filters=("collection_method", "customer", "due_date", "parent.subscription_details.subscription", "status"),
    references={
        "account_tax_ids": "tax_id",
        "customer": "customer",
        "default_payment_method": "payment_method",
        "default_source": "card",
        "discounts": "discount",
        "latest_revision": "invoice",
        "parent.subscription_details.subscription": "subscription",
        "test_clock": "test_helpers.test_clock",
        "total_discount_amounts.discount": "discount",
        "total_pretax_credit_amounts.discount": "discount",
    },
    embeds=("lines",),
    includes={"confirmation_secret": _confirmation_secret, "payments": invoice_payment.embedded},
)

_DAY: Final = 24 * 3600
_PLAIN: Final = ("custom_fields", "description", "effective_at", "footer", "number", "statement_descriptor")


def new(
    world: World, customer: Document, given: dict[str, Any], *, billing_reason: str, parent: dict[str, Any] | None
) -> Document:
    """A draft without lines, not kept yet. `given` are the parameters of a create request."""
    invoice = Document(
        {
            "id": world.mint("in_"),
            "object": "invoice",
            "account_country": "US",
            "account_name": account.seller(world),
            "account_tax_ids": None,
            "amount_due": 0,
            "amount_overpaid": 0,
            "amount_paid": 0,
            "amount_remaining": 0,
            "amount_shipping": 0,
            "application": None,
            "attempt_count": 0,
            "attempted": False,
            "auto_advance": False,
            "automatic_tax": {
                "disabled_reason": None,
                "enabled": False,
                "liability": None,
                "provider": None,
                "status": None,
            },
            "automatically_finalizes_at": None,
            "billing_reason": billing_reason,
            "collection_method": given.get("collection_method") or "charge_automatically",
            "created": world.now,
            "currency": given.get("currency") or customer["currency"] or "usd",
            "custom_fields": None,
            "customer": customer.id,
            "customer_account": None,
            **of_customer(world, customer),
            "default_payment_method": None,
            "default_source": None,
            "default_tax_rates": [],
            "description": None,
            "discounts": [],
            "due_date": None,
            "effective_at": None,
            "ending_balance": None,
            "footer": None,
            "from_invoice": None,
            "hosted_invoice_url": None,
            "invoice_pdf": None,
            "issuer": {"type": "self"},
            "last_finalization_error": None,
            "latest_revision": None,
            "lines": {},
            "livemode": world.livemode,
            "metadata": {},
            "next_payment_attempt": None,
            "number": None,
            "on_behalf_of": None,
            "parent": parent,
            "payment_settings": {
                "default_mandate": None,
                "payment_method_options": None,
                "payment_method_types": None,
            },
            "period_end": world.now,
            "period_start": world.now,
            "post_payment_credit_notes_amount": 0,
            "pre_payment_credit_notes_amount": 0,
            "receipt_number": None,
            "rendering": None,
            "shipping_cost": None,
            "shipping_details": None,
            "starting_balance": 0,
            "statement_descriptor": None,
            "status": "draft",
            "status_transitions": {
                "finalized_at": None,
                "marked_uncollectible_at": None,
                "paid_at": None,
                "voided_at": None,
            },
            "subtotal": 0,
            "subtotal_excluding_tax": 0,
            "test_clock": customer["test_clock"],
            "total": 0,
            "total_discount_amounts": [],
            "total_excluding_tax": 0,
            "total_pretax_credit_amounts": [],
            "total_taxes": [],
            "webhooks_delivered_at": world.now,
        }
    )
    take(world, invoice, customer, given)
    return invoice


def of_customer(world: World, customer: Document) -> dict[str, Any]:
    """What an invoice repeats of its customer, until it is finalised."""
    return {
        "customer_address": customer["address"],
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_phone": customer["phone"],
        "customer_shipping": customer["shipping"],
        "customer_tax_exempt": customer["tax_exempt"],
        "customer_tax_ids": tax_id.shown(world, customer),
    }


def take(world: World, invoice: Document, customer: Document, given: dict[str, Any]) -> None:
    """Take over what a request says of an invoice.

    Raises:
        StripeError: 400 for a payment method of somebody else, or a due date that is missing or out of place.
    """
    for name in _PLAIN:
        if name in given:
            invoice[name] = given[name]
    if "metadata" in given:
        invoice["metadata"] = metadata(invoice["metadata"], given["metadata"])
    if "shipping_details" in given:
        invoice["shipping_details"] = shipping(given["shipping_details"], invoice["shipping_details"])
    settings = given.get("payment_settings") or {}
    for name in ("default_mandate", "payment_method_types"):
        if name in settings:
            invoice["payment_settings"][name] = settings[name]
    if "default_tax_rates" in given:
        invoice["default_tax_rates"] = tax_rate.chosen(world, given["default_tax_rates"], param="default_tax_rates")
    if "account_tax_ids" in given:
        invoice["account_tax_ids"] = tax_id.own(world, given["account_tax_ids"], param="account_tax_ids")
    _take_payment(world, invoice, customer, given)
    if given.get("collection_method") is not None:
        invoice["collection_method"] = given["collection_method"]
    _take_due_date(world, invoice, given)
    if invoice["status"] == "draft":
        _take_advance(world, invoice, given)
    elif invoice["status"] == "open" and given.get("auto_advance", invoice["auto_advance"]) != invoice["auto_advance"]:
        invoice["auto_advance"] = given["auto_advance"]
        is_charged = invoice["auto_advance"] and invoice["collection_method"] == "charge_automatically"
        invoice["next_payment_attempt"] = world.now + RESTS_SECONDS if is_charged else None


def _take_payment(world: World, invoice: Document, customer: Document, given: dict[str, Any]) -> None:
    if "default_payment_method" in given:
        named = given["default_payment_method"]
        invoice["default_payment_method"] = named
        if named is not None and world.get("payment_method", named, param="default_payment_method")["customer"] != (
            customer.id
        ):
            raise invalid(
                f"The customer does not have a payment method with the ID {named}. "
                "The payment method must be attached to the customer.",
                code="resource_missing",
                param="default_payment_method",
            )
    if "default_source" in given:
        named = given["default_source"]
        invoice["default_source"] = named
        if named is not None and world.get("card", named, param="default_source")["customer"] != customer.id:
            raise world.no_such("card", named, param="default_source")


def _take_due_date(world: World, invoice: Document, given: dict[str, Any]) -> None:
    days, date = given.get("days_until_due"), given.get("due_date")
    if days is not None and date is not None:
        raise exclusive("days_until_due", "due_date")
    if invoice["collection_method"] == "charge_automatically":
        if days is not None or date is not None:
            raise invalid(
                "You can only specify `due_date` or `days_until_due` if the invoice's collection method is "
                "'send_invoice'.",
                param="due_date" if days is None else "days_until_due",
            )
        invoice["due_date"] = None
        return
    if days is not None:
        invoice["due_date"] = invoice["created"] + days * _DAY
    elif date is not None:
        if date < world.now:
            raise invalid("The due date must be in the future.", param="due_date")
        invoice["due_date"] = date
    if invoice["due_date"] is None:
        raise invalid(
            "If invoice collection method is 'send_invoice', you must specify 'due_date' or 'days_until_due'."
        )


def _take_advance(world: World, invoice: Document, given: dict[str, Any]) -> None:
    """When a draft moves on by itself: after an hour, or at a time the caller chose."""
    was = invoice["auto_advance"]
    if given.get("auto_advance") is not None:
        invoice["auto_advance"] = given["auto_advance"]
    chosen = given.get("automatically_finalizes_at")
    if chosen is not None:
        if not invoice["auto_advance"]:
            raise invalid(
                "`automatically_finalizes_at` needs `auto_advance` to be true.", param="automatically_finalizes_at"
            )
        if chosen < world.now:
            raise invalid("This timestamp must be in the future.", param="automatically_finalizes_at")
        invoice["automatically_finalizes_at"] = chosen
    elif not invoice["auto_advance"]:
        invoice["automatically_finalizes_at"] = None
    elif not was:
        invoice["automatically_finalizes_at"] = world.now + FINALIZES_AFTER_SECONDS
    is_charged = invoice["auto_advance"] and invoice["collection_method"] == "charge_automatically"
    if not is_charged:
        invoice["next_payment_attempt"] = None
    elif chosen is not None:
        invoice["next_payment_attempt"] = chosen
    elif not was or invoice["next_payment_attempt"] is None:
        invoice["next_payment_attempt"] = world.now + RESTS_SECONDS
