"""Collecting: an invoice charged to what its customer left with us, and what follows from each attempt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel.errors import StripeError, invalid
from paydesk.emulator.resources import (
    billing_settings,
    invoice_ending,
    invoice_payment,
    invoice_settling,
    invoicing,
    paying,
    payment_method,
)
from paydesk.emulator.rules import confirming, declines, dunning, invoice_attempts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World

NO_METHOD: Final = (
    "This customer has no attached payment source or default payment method. Please consider adding a default payment "
    "method. For more information, visit "
    "https://stripe.com/docs/billing/subscriptions/payment-methods-setting#payment-method-priority."
)
NEEDS_PAYER: Final = (
    "Payment for this invoice requires additional user action before it can be completed successfully. Payment can be "
    "completed using the PaymentIntent associated with the invoice. For more details see: "
    "https://stripe.com/docs/billing/subscriptions/overview#requires-action"
)


def method_of(world: World, invoice: Document) -> Document | None:
    """What an invoice is charged to: its own choice, its subscription's, or its customer's default."""
    if invoice["default_payment_method"] is not None:
        return world.find("payment_method", invoice["default_payment_method"])
    if invoice["default_source"] is not None:
        return _of_source(world, invoice["default_source"])
    owner = invoicing.subscription_of(invoice)
    subscription = None if owner is None else world.find("subscription", owner)
    if subscription is not None:
        return method_of_subscription(world, subscription)
    return _default_of(world, invoice["customer"])


def method_of_subscription(world: World, subscription: Mapping[str, Any]) -> Document | None:
    """What the invoices of a subscription are charged to: its own choice, or its customer's default."""
    if subscription["default_payment_method"] is not None:
        return world.find("payment_method", subscription["default_payment_method"])
    if subscription["default_source"] is not None:
        return _of_source(world, subscription["default_source"])
    return _default_of(world, subscription["customer"])


def _default_of(world: World, identifier: str) -> Document | None:
    customer = world.find("customer", identifier)
    if customer is None:
        return None
    default = customer["invoice_settings"]["default_payment_method"]
    if default is not None:
        return world.find("payment_method", default)
    return _of_source(world, customer["default_source"])


def charge(world: World, invoice: Document, method: Document, *, is_automatic: bool, off_session: bool = True) -> None:
    """Pay an open invoice with a payment method, `off_session` while its customer is not there.

    Afterwards it is paid, waits for a slow bank, or waits for the customer: its intent is in `requires_action` then.

    Raises:
        StripeError: 402 when the bank declines (what was written is kept); 400 for what it cannot be paid with.
    """
    intent = intent_of(world, invoice)
    invoice.private["attempt"] = "automatic" if is_automatic else "manual"
    verdict = confirming.decide(
        payment_method.instrument(method).card, off_session=True, is_set_up=method.private.get("is_set_up", False)
    )
    # Where the bank wants to hear its customer, an invoice waits for that instead of being declined.
    needs_payer = verdict == confirming.Refuse(declines.AUTHENTICATION_REQUIRED)
    paying.confirm(world, intent, method, off_session=off_session and not needs_payer)


def intent_of(world: World, invoice: Document) -> Document:
    """The payment intent behind an invoice of which something is due."""
    payment = invoice_payment.default_of(world, invoice)
    if payment is None:
        raise invalid(invoicing.NOT_OPEN)
    return world.get("payment_intent", payment["payment"]["payment_intent"])


def needs_payer(invoice: Document, intent: Document) -> StripeError:
    """402: the customer has to confirm at their bank; all is kept for that."""
    return StripeError(
        NEEDS_PAYER,
        status=402,
        type="card_error",
        code="invoice_payment_intent_requires_action",
        keeps_work=True,
        payment_intent=dict(intent),
    )


def no_method() -> StripeError:
    """400: there is nothing to charge."""
    return StripeError(NO_METHOD, code="resource_missing")


def _of_source(world: World, identifier: str | None) -> Document | None:
    source = None if identifier is None else world.find("card", identifier)
    return None if source is None else payment_method.of_source(world, source)


def _collect(world: World, subject: str) -> None:
    invoice = world.get("invoice", subject)
    if invoice["status"] != "open" or intent_of(world, invoice)["status"] == "processing":
        return
    invoice["next_payment_attempt"] = None
    method = method_of(world, invoice)
    if method is None:
        _failed(world, invoice, is_automatic=True, counts=True)
        return
    if method.id == invoice.private.get("hopeless"):
        _failed(world, invoice, is_automatic=True, counts=True, was_tried=False)
        return
    try:
        charge(world, invoice, method, is_automatic=True)
    except StripeError as refusal:
        # A decline has been told of already, step by step; what could not even be tried has not.
        if not refusal.keeps_work:
            invoice.private.pop("attempt", None)
            _failed(world, invoice, is_automatic=True, counts=True)


def _progressed(world: World, subject: str) -> None:
    """The payment intent of an invoice has come a step further, whoever made it."""
    intent = world.get("payment_intent", subject)
    for payment in invoice_payment.of_intent(world, intent):
        if payment["status"] == "open" and payment["is_default"]:
            _follow(world, world.get("invoice", payment["invoice"]), intent)
    if intent["status"] == "succeeded":
        invoice_settling.share_out(world, intent)


def _follow(world: World, invoice: Document, intent: Document) -> None:
    """How an invoice's own intent fares is how the invoice does."""
    attempt = invoice.private.pop("attempt", None)
    is_automatic = attempt == "automatic"
    counts = invoice_attempts.counts(invoice["attempt_count"], is_automatic=is_automatic)
    match intent["status"]:
        case "succeeded":
            was_waiting = invoice.private.pop("asked", None) is not None
            invoice_settling.share_out(world, intent, counts=counts and not was_waiting)
        case "processing":
            invoice.private["asked"] = attempt or "elsewhere"
            invoice["attempted"] = True
            invoice["attempt_count"] += counts
            world.save(invoice, "invoice.updated")
        case "requires_action":
            _waits_for_payer(world, invoice, is_ours=attempt is not None)
        case "requires_payment_method":
            error = intent["last_payment_error"] or {}
            was_charged = "charge" in error
            if dunning.is_hopeless(error.get("code"), error.get("decline_code")):
                invoice.private["hopeless"] = error["payment_method"]["id"]
            asked = invoice.private.pop("asked", None)
            _failed(
                world,
                invoice,
                is_automatic="automatic" in (attempt, asked),
                # A slow bank's attempt was counted when it was asked.
                counts=counts and was_charged and asked is None,
            )


def _waits_for_payer(world: World, invoice: Document, *, is_ours: bool) -> None:
    invoice["attempted"] = True
    invoice["next_payment_attempt"] = None
    previous = world.save(invoice)
    world.emit("invoice.payment_action_required", invoice)
    if is_ours:
        world.emit("invoice.payment_failed", invoice)
    if previous:
        world.emit("invoice.updated", invoice, previous)
    invoicing.plan(world, invoice)
    invoicing.tell_subscription(world, invoice)


def _failed(world: World, invoice: Document, *, is_automatic: bool, counts: bool, was_tried: bool = True) -> None:
    """An attempt has failed. One that had no hope was not made (`was_tried`), though the schedule counts it."""
    invoice["attempted"] = True
    invoice["attempt_count"] += counts
    if is_automatic:
        invoice["next_payment_attempt"] = dunning.next_attempt(
            billing_settings.of(world),
            finalized_at=invoice["status_transitions"]["finalized_at"],
            attempts=invoice["attempt_count"],
            now=world.now,
        )
    previous = world.save(invoice)
    if was_tried:
        world.emit("invoice.payment_failed", invoice)
    if previous:
        world.emit("invoice.updated", invoice, previous)
    if is_automatic:
        invoicing.note_standing(world, invoice, is_late=True)
    invoicing.plan(world, invoice)
    invoicing.tell_subscription(world, invoice)
    if is_automatic and invoice["next_payment_attempt"] is None:
        invoice_ending.give_up(world, invoice, "max_payment_attempts")


TASKS: dict[str, Any] = {invoicing.COLLECT: _collect, invoicing.PROGRESSED: _progressed}
