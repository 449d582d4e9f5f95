"""Previews: the invoice that is to come, or that a change would make, without anything being kept.

A preview is the real thing, carried out and taken back: so it cannot differ from what is
invoiced later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel.document import from_text, to_text
from paydesk.emulator.kernel.errors import StripeError, missing_param
from paydesk.emulator.kernel.routes import Call, Route, words
from paydesk.emulator.resources import (
    invoiceitem,
    subscribing,
    subscription_ending,
    subscription_items,
    subscription_renewal,
    subscription_shape,
    subscription_terms,
    subscription_update,
)
from paydesk.emulator.resources.subscription_shape import ENDED
from paydesk.emulator.rules import intents
from paydesk.emulator.rules.price_amounts import Under

if TYPE_CHECKING:
    from collections.abc import Callable

    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World

_NOT_YET: Final = frozenset({"cancel_now", "start_date"})


def of_change(world: World, subscription: str, given: dict[str, Any]) -> Document:
    """What the next invoice of a subscription will be after an update with these parameters, or what it bills at once.

    Raises:
        StripeError: 400 as the update itself would; 404 with `invoice_upcoming_none` where no invoice would follow.
    """
    return _rehearsed(world, lambda: _after(world, world.get("subscription", subscription), given))


def of_next(world: World, subscription: str) -> Document:
    """The invoice that a subscription's next renewal will make."""
    return of_change(world, subscription, {})


def _rehearsed(world: World, work: Callable[[], Document]) -> Document:
    return _unnumbered(world, world.rehearse(work))


def _after(world: World, subscription: Document, given: dict[str, Any]) -> Document:
    if subscription["status"] in ENDED:
        raise _none(subscription["customer"])
    if given:
        change = subscription_update.propose(world, subscription, given)
        if change is not None:
            made = subscription_update.bill(world, subscription, change, given) if change.is_billed_now else None
            if made is not None:
                return made
            subscription_shape.keep_items(world, subscription, change.items)
        world.save(subscription)
    if subscription["status"] == "paused":
        raise _none(subscription["customer"])
    items = subscription_shape.items_of(world, subscription)
    end = subscription_shape.period_of(items)[1]
    ends = subscription["cancel_at"] is not None and subscription["cancel_at"] <= end
    if ends:
        world.now = max(subscription["cancel_at"], world.now)
        last = subscription_ending.draft_of_planned_end(world, subscription)
        if last is None:
            raise _none(subscription["customer"])
        return last
    world.now = max(end, world.now)
    return subscription_renewal.renew(world, subscription, items)


def _create(call: Call) -> Document:
    world, given = call.world, call.params
    details = given.get("subscription_details") or {}
    if given.get("subscription") is not None:
        subscription = world.get("subscription", given["subscription"], param="subscription")
        return _rehearsed(world, lambda: _of_known(world, world.get("subscription", subscription.id), given, details))
    if given.get("customer") is None:
        raise missing_param("customer")
    customer = world.get("customer", given["customer"], param="customer")
    if details.get("items"):
        wanted = {
            **{name: value for name, value in details.items() if name not in _NOT_YET},
            **{name: given[name] for name in ("currency", "discounts") if given.get(name) is not None},
        }
        anchor = wanted.pop("billing_cycle_anchor", None)
        if anchor is not None and anchor.get("timestamp") is not None:
            wanted["billing_cycle_anchor"] = anchor["timestamp"]
        if details.get("start_date") is not None:
            wanted["backdate_start_date"] = details["start_date"]
        return _rehearsed(world, lambda: _of_new(world, customer.id, wanted, given))
    live = [one for one in world.having("subscription", "customer", customer.id) if one["status"] not in ENDED]
    if not live:
        raise _none(customer.id)
    first = min(live, key=lambda one: subscription_shape.period_of(one["items"]["data"])[1])
    return _rehearsed(world, lambda: _of_known(world, world.get("subscription", first.id), given, details))


def _of_new(world: World, customer: str, wanted: dict[str, Any], given: dict[str, Any]) -> Document:
    found = world.get("customer", customer)
    _add_items(world, found, given)
    return subscribing.begin(world, found, wanted).invoice


def _of_known(world: World, subscription: Document, given: dict[str, Any], details: dict[str, Any]) -> Document:
    _add_items(world, world.get("customer", subscription["customer"]), given)
    if details.get("cancel_now"):
        prorates = details.get("proration_behavior", "create_prorations") != "none"
        invoice = subscription_ending.draft_of_end(world, subscription, prorates=prorates)
        if invoice is None:
            raise _none(subscription["customer"])
        return invoice
    changed = {name: value for name, value in details.items() if name not in _NOT_YET}
    if given.get("discounts") is not None:
        changed["discounts"] = given["discounts"]
    return _after(world, subscription, changed)


def _add_items(world: World, customer: Document, given: dict[str, Any]) -> None:
    """What a caller wants to see on the invoice besides what waits for it."""
    for place, entry in enumerate(given.get("invoice_items") or ()):
        under = Under(f"invoice_items[{place}]")
        if entry.get("amount") is not None or entry.get("unit_amount_decimal") is not None:
            invoiceitem.add(world, customer, None, entry, under)
        else:
            invoiceitem.add_priced(world, customer, entry, under)


def _unnumbered(world: World, invoice: Document) -> Document:
    """A draft that nobody keeps, under the id of one that is to come."""
    shown = subscription_shape.copy_of(invoice)
    shown["id"] = f"upcoming_{invoice.id}"
    text = to_text(shown["lines"]).replace(f'"{invoice.id}"', f'"{shown.id}"')
    shown["lines"] = from_text(text.replace(f"/{invoice.id}/", f"/{shown.id}/"))
    return shown


def _none(customer: str) -> StripeError:
    return StripeError(f"No upcoming invoices for customer: {customer}", status=404, code="invoice_upcoming_none")


_DETAILS: Final = (
    "billing_cycle_anchor billing_mode cancel_at cancel_at_period_end cancel_now default_tax_rates metadata "
    "proration_behavior proration_date start_date trial_end"
)
ROUTES = (
    Route(
        "POST",
        "/v1/invoices/create_preview",
        _create,
        uses=words("currency customer discounts invoice_items subscription")
        | frozenset(f"subscription_details.{name}" for name in _DETAILS.split())
        | frozenset(f"subscription_details.items.{name}" for name in subscription_items.TAKEN | {"deleted", "id"}),
        refuses={
            "automatic_tax.enabled": subscription_terms.REFUSED["automatic_tax.enabled"],
            "customer_account": intents.CONNECT,
            "customer_details": "customers who are not kept are not modelled; make one.",
            "on_behalf_of": intents.CONNECT,
            "preview_mode": "recurring previews are not modelled, so the amounts would be others.",
            "schedule": "previews of schedules are not modelled, so the amounts would be others.",
            "schedule_details": "previews of schedules are not modelled, so the amounts would be others.",
            "subscription_details.billing_schedules": subscription_terms.REFUSED["billing_schedules"],
            "subscription_details.items.billing_thresholds": subscription_terms.REFUSED["items.billing_thresholds"],
            "subscription_details.items.current_trial": subscription_terms.REFUSED["items.current_trial"],
            "subscription_details.pause": "previews of a pause are not modelled.",
            "subscription_details.resume_at": "previews of a resumption are not modelled.",
        },
        area="invoice",
    ),
)
