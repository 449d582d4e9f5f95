"""What a request says of a subscription besides its items and its time: who pays, how, and what is written on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel.errors import exclusive, invalid
from paydesk.emulator.kernel.fields import metadata
from paydesk.emulator.kernel.routes import words
from paydesk.emulator.resources import discounting, tax_rate
from paydesk.emulator.resources.subscription_shape import is_metered, period_of
from paydesk.emulator.rules import intents

if TYPE_CHECKING:
    from collections.abc import Sequence

    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World

# What is used of a request here.
TAKEN: Final = words(
    "cancel_at cancel_at_period_end cancellation_details.comment cancellation_details.feedback collection_method "
    "days_until_due default_payment_method default_source default_tax_rates description discounts "
    "invoice_settings.custom_fields invoice_settings.description invoice_settings.footer metadata "
    "payment_settings.payment_method_types payment_settings.save_default_payment_method "
    "trial_settings.end_behavior.missing_payment_method"
)
REFUSED: Final = {
    "application_fee_percent": intents.CONNECT,
    "automatic_tax.enabled": "taxes by address are not modelled, so the amounts would be too low.",
    "billing_schedules": "subscriptions billed until a date are not modelled, so they would be billed for ever.",
    "billing_thresholds": "thresholds are not modelled, so it would be billed too late.",
    "customer_account": intents.CONNECT,
    "items.billing_thresholds": "thresholds are not modelled, so it would be billed too late.",
    "items.current_trial": "trial offers are not modelled, so it would be billed at once.",
    "on_behalf_of": intents.CONNECT,
    "payment_settings.payment_method_options.card.mandate_options": "mandates are not modelled.",
    "pending_invoice_item_interval": "invoices between two periods are not modelled, so they would be missing.",
    "transfer_data": intents.CONNECT,
    "trial_settings.end_behavior.billing_cycle_anchor": "the end of a trial always begins a period here.",
}
FEEDBACK: Final = ("comment", "feedback")


def take(world: World, subscription: Document, customer: Document, given: dict[str, Any]) -> None:
    """Take over what a request says; it is not saved yet.

    Raises:
        StripeError: 400 for a payment method of somebody else, or days to pay in where nobody is sent an invoice.
    """
    if "description" in given:
        subscription["description"] = given["description"]
    if "metadata" in given:
        subscription["metadata"] = metadata(subscription["metadata"], given["metadata"])
    take_feedback(subscription, given)
    _take_collection(subscription, given)
    _take_method(world, subscription, customer, given)
    if "default_tax_rates" in given:
        subscription["default_tax_rates"] = tax_rate.chosen(
            world, given["default_tax_rates"], param="default_tax_rates"
        )
    for group in ("invoice_settings", "payment_settings"):
        for name, value in (given.get(group) or {}).items():
            if name in subscription[group] and not isinstance(value, dict):
                subscription[group][name] = value
    ending = (given.get("trial_settings") or {}).get("end_behavior")
    if ending is not None:
        behavior = ending.get("missing_payment_method", "create_invoice")
        subscription["trial_settings"]["end_behavior"]["missing_payment_method"] = behavior


def take_feedback(subscription: Document, given: dict[str, Any]) -> None:
    """Note what the customer said about leaving."""
    said = given.get("cancellation_details") or {}
    for name in FEEDBACK:
        if name in said:
            subscription["cancellation_details"][name] = said[name]


def take_end(world: World, subscription: Document, items: Sequence[Document], given: dict[str, Any]) -> None:
    """Note when a subscription is to end: at a time, with the period its items are in, or (again) never.

    An end with the period moves with that.

    Raises:
        StripeError: 400 for both at once, or a time that is over.
    """
    if given.get("cancel_at") is not None and given.get("cancel_at_period_end"):
        raise exclusive("cancel_at", "cancel_at_period_end")
    if given.get("cancel_at_period_end"):
        _end_at(world, subscription, period_of(items)[1], with_period=True)
    elif given.get("cancel_at") is not None:
        moment = _moment(items, given["cancel_at"])
        if moment <= world.now:
            raise invalid("The cancel_at timestamp must be in the future.", param="cancel_at")
        _end_at(world, subscription, moment, with_period=False)
    elif "cancel_at" in given or "cancel_at_period_end" in given:
        subscription["cancel_at"], subscription["cancel_at_period_end"] = None, False
        subscription["canceled_at"] = None
        subscription["cancellation_details"]["reason"] = None
    elif subscription["cancel_at_period_end"]:
        subscription["cancel_at"] = period_of(items)[1]


def take_discounts(world: World, subscription: Document, given: dict[str, Any], amount: int) -> None:
    """Give a subscription the discounts a request names, in place of those it had. `amount` is what it costs."""
    if "discounts" in given:
        bought = discounting.purchase(world, subscription["customer"], subscription["currency"], amount)
        subscription["discounts"] = discounting.replace(
            world, subscription["discounts"], given["discounts"], bought, subscription=subscription.id
        )


def _end_at(world: World, subscription: Document, moment: int, *, with_period: bool) -> None:
    if subscription["cancel_at"] is None:
        subscription["canceled_at"] = world.now
    subscription["cancel_at"], subscription["cancel_at_period_end"] = moment, with_period
    subscription["cancellation_details"]["reason"] = "cancellation_requested"


def _moment(items: Sequence[Document], named: int | str) -> int:
    if not isinstance(named, str):
        return named
    if named == "max_billed_until":
        # What is measured is billed when its period is over: only what has ended was billed.
        items = [item for item in items if not is_metered(item)] or items
    ends = [int(item["current_period_end"]) for item in items]
    return min(ends) if named == "min_period_end" else max(ends)


def _take_collection(subscription: Document, given: dict[str, Any]) -> None:
    if given.get("collection_method") is not None:
        subscription["collection_method"] = given["collection_method"]
    if "days_until_due" in given:
        subscription["days_until_due"] = given["days_until_due"]
    is_sent = subscription["collection_method"] == "send_invoice"
    if is_sent and subscription["days_until_due"] is None:
        raise invalid(
            "If subscription collection method is 'send_invoice', you must specify 'days_until_due'.",
            param="days_until_due",
        )
    if not is_sent:
        if given.get("days_until_due") is not None:
            raise invalid(
                "You can only specify `days_until_due` if the subscription's collection method is 'send_invoice'.",
                param="days_until_due",
            )
        subscription["days_until_due"] = None


def _take_method(world: World, subscription: Document, customer: Document, given: dict[str, Any]) -> None:
    if "default_payment_method" in given:
        named = given["default_payment_method"]
        if named is not None and world.get("payment_method", named, param="default_payment_method")["customer"] != (
            customer.id
        ):
            raise invalid(
                f"The customer does not have a payment method with the ID {named}. "
                "The payment method must be attached to the customer.",
                code="resource_missing",
                param="default_payment_method",
            )
        subscription["default_payment_method"] = named
    if "default_source" in given:
        named = given["default_source"]
        if named is not None and world.get("card", named, param="default_source")["customer"] != customer.id:
            raise world.no_such("card", named, param="default_source")
        subscription["default_source"] = named
