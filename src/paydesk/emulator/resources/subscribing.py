"""Subscribing: a subscription from what is asked for to its first invoice.

The API and Checkout both begin one here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel.document import Document
from paydesk.emulator.kernel.errors import StripeError, exclusive, invalid, missing_param
from paydesk.emulator.resources import (
    invoice_collection,
    invoice_settling,
    invoiceitem,
    invoicing,
    setup_intent,
    subscription_agenda,
    subscription_billing,
    subscription_items,
    subscription_shape,
    subscription_terms,
    subscription_usage,
)
from paydesk.emulator.resources.customer_balance_transaction import check_one_currency
from paydesk.emulator.resources.subscription_lines import Charge
from paydesk.emulator.rules import billing_news, cycles
from paydesk.emulator.rules.money import check_currency
from paydesk.emulator.rules.price_amounts import Under
from paydesk.emulator.rules.proration import Period

if TYPE_CHECKING:
    from collections.abc import Sequence

    from paydesk.emulator.kernel.world import World

_DAY: Final = 24 * 3600
_YEAR: Final = 366 * _DAY
TRIAL_SECONDS_MAX: Final = 2 * _YEAR
SUBSCRIPTIONS_MAX: Final = 500
INVOICE_ITEMS_MAX: Final = 20


@dataclass(frozen=True)
class Begun:
    """A subscription that was begun, and the draft of its first invoice."""

    subscription: Document
    invoice: Document


def start(world: World, customer: Document, given: dict[str, Any], *, paid_with: Document | None = None) -> Document:
    """A new subscription, its first invoice collected as `payment_behavior` wants it, and all of it told.

    `given` are the parameters of a create request. `paid_with` is the payment intent that has paid it already, over
    just what is due.

    Raises:
        StripeError: 400 where the request cannot be; 402 where it must be paid at once and is not: nothing is written.
    """
    behavior = given.get("payment_behavior") or "allow_incomplete"
    if behavior == "pending_if_incomplete":
        raise invalid(
            "Setting `payment_behavior` to `pending_if_incomplete` has no effect when creating a subscription.",
            param="payment_behavior",
        )
    with world.telling(billing_news.BILLED):
        begun = begin(world, customer, given)
        _settle(world, begun, behavior, paid_with)
        subscription = begun.subscription
        subscription.private["is_untold"] = False
        world.save(subscription)
        world.emit("customer.subscription.created", subscription)
        subscription_agenda.plan(world, subscription)
    return subscription


def begin(world: World, customer: Document, given: dict[str, Any]) -> Begun:
    """A new subscription with the draft of its first invoice, of which nobody is told yet."""
    subscription, items = _shaped(world, customer, given)
    charges = _charges(world, subscription, items, given)
    subscription_shape.show(subscription, items)
    world.add(subscription)
    subscription_terms.take_discounts(world, subscription, given, subscription_items.cost(world, subscription, items))
    subscription_shape.keep_items(world, subscription, items)
    subscription_terms.take_end(world, subscription, items, given)
    add_invoice_items(world, customer, given)
    invoice = subscription_billing.draft(world, subscription, charges, reason="subscription_create")
    subscription_shape.keep_items(world, subscription, items)
    world.save(subscription)
    return Begun(subscription, invoice)


def _shaped(world: World, customer: Document, given: dict[str, Any]) -> tuple[Document, list[Document]]:
    entries = given.get("items") or ()
    if not entries:
        raise missing_param("items")
    if sum(1 for one in world.having("subscription", "customer", customer.id) if _is_live(one)) >= SUBSCRIPTIONS_MAX:
        raise StripeError(
            f"Customer {customer.id} already has the maximum {SUBSCRIPTIONS_MAX} current subscriptions.",
            code="customer_max_subscriptions",
        )
    subscription = subscription_shape.new(
        world, customer, currency=_currency(world, customer, given), start=given.get("backdate_start_date") or world.now
    )
    subscription.private["is_untold"] = True
    mode = given.get("billing_mode")
    if mode is not None and mode["type"] == "classic":
        subscription["billing_mode"] = {"flexible": None, "type": "classic"}
    elif mode is not None and (mode.get("flexible") or {}).get("proration_discounts"):
        subscription["billing_mode"]["flexible"] = dict(mode["flexible"])
    items = [
        subscription_items.new(world, subscription, entry, Under(f"items[{place}]"))
        for place, entry in enumerate(entries)
    ]
    subscription_items.check(subscription, items)
    subscription_terms.take(world, subscription, customer, given)
    return subscription, items


def _currency(world: World, customer: Document, given: dict[str, Any]) -> str:
    """The currency asked for, else the customer's, else the first price's."""
    if given.get("currency"):
        currency = check_currency(given["currency"])
    else:
        first = subscription_items.priced(world, given["items"][0], Under("items[0]"), None)
        options = {} if first is None else first.private.get("currency_options", {})
        held = customer["currency"]
        currency = held if held is not None and held in options else "usd" if first is None else str(first["currency"])
    check_one_currency(customer, currency)
    return currency


def _charges(world: World, subscription: Document, items: Sequence[Document], given: dict[str, Any]) -> list[Charge]:
    """Put every item in its first period, and say what is to be billed for it."""
    trial_end = _trial_end(world, items, given)
    day = _take_anchor(world, subscription, items, given, trial_end)
    charges: list[Charge] = []
    for item in items:
        cycle = cycles.of_price(item["price"], subscription["billing_cycle_anchor"], day=day)
        if trial_end is not None:
            period = Period(world.now, trial_end)
            charges.append(Charge(item, period, is_trial=True))
        else:
            period = Period(world.now, cycle.after(world.now))
            whole = Period(*cycle.holding(world.now))
            is_free = period != whole and given.get("proration_behavior") == "none"
            charges += _backdated(world, subscription, item, given)
            charges.append(Charge(item, period, None if period == whole else whole, is_free=is_free))
        item["current_period_start"], item["current_period_end"] = period.start, period.end
        subscription_usage.begin(item, trial_end or given.get("backdate_start_date") or world.now)
    if trial_end is not None:
        subscription["trial_start"], subscription["trial_end"] = world.now, trial_end
        subscription["status"] = "trialing"
    return charges


def _backdated(world: World, subscription: Document, item: Document, given: dict[str, Any]) -> list[Charge]:
    """What is billed for the time before now, period by period."""
    since = given.get("backdate_start_date")
    if since is None or given.get("proration_behavior") == "none":
        return []
    if since > world.now:
        raise invalid("The backdate_start_date must be in the past.", param="backdate_start_date")
    cycle = cycles.of_price(item["price"], world.now)
    charges: list[Charge] = []
    end = world.now
    while end > since:
        begins = cycle.holding(end - 1)[0]
        whole = Period(begins, end)
        part = Period(max(begins, since), end)
        charges.insert(0, Charge(item, part, None if part == whole else whole))
        end = begins
    return charges


def _trial_end(world: World, items: Sequence[Document], given: dict[str, Any]) -> int | None:
    days, end = given.get("trial_period_days"), given.get("trial_end")
    if days is not None and end is not None:
        raise exclusive("trial_end", "trial_period_days")
    if days is None and end is None and given.get("trial_from_plan"):
        days = max((item["plan"]["trial_period_days"] or 0 for item in items), default=0) or None
    if days is not None:
        if days < 1:
            raise StripeError(
                "This value must be greater than or equal to 1.",
                code="parameter_invalid_integer",
                param="trial_period_days",
            )
        end = world.now + days * _DAY
    if end is None or end == "now":
        return None
    check_trial_end(world, end)
    return int(end)


def check_trial_end(world: World, end: int) -> None:
    """Refuse a trial that is over already, or goes on for more than two years."""
    if end <= world.now:
        raise invalid("Invalid timestamp: must be an integer Unix timestamp in the future", param="trial_end")
    if end > world.now + TRIAL_SECONDS_MAX:
        raise invalid("Invalid timestamp: can be no more than two years in the future", param="trial_end")


def _take_anchor(
    world: World, subscription: Document, items: Sequence[Document], given: dict[str, Any], trial_end: int | None
) -> int | None:
    """Settle where the cycles hang; gives back the day of the month that is meant, where one was named."""
    named, config = given.get("billing_cycle_anchor"), given.get("billing_cycle_anchor_config")
    if named is not None and config is not None:
        raise exclusive("billing_cycle_anchor", "billing_cycle_anchor_config")
    start = world.now if trial_end is None else trial_end
    if config is not None:
        subscription["billing_cycle_anchor_config"] = {
            name: config.get(name) for name in ("day_of_month", "hour", "minute", "month", "second")
        }
        by_year = all(item["plan"]["interval"] == "year" for item in items)
        named = cycles.first_anchor(start, config, by_year=by_year)
    if named is None:
        subscription["billing_cycle_anchor"] = start
        return None
    if named < start:
        raise invalid(
            "The billing_cycle_anchor must not be before the end of the trial."
            if trial_end is not None
            else "billing_cycle_anchor must be a timestamp in the future.",
            code=None if trial_end is None else "subscription_update_trial_after_billing_cycle_anchor",
            param="billing_cycle_anchor",
        )
    if config is None and any(named > cycles.of_price(item["price"], start).boundary(1) for item in items):
        raise invalid(
            "billing_cycle_anchor cannot be later than next natural billing date of the plan.",
            param="billing_cycle_anchor",
        )
    subscription["billing_cycle_anchor"] = named
    day: int | None = None if config is None else config["day_of_month"]
    return day


def add_invoice_items(world: World, customer: Document, given: dict[str, Any]) -> None:
    """Keep what a request wants charged once, with the next invoice."""
    extra = given.get("add_invoice_items") or ()
    if len(extra) > INVOICE_ITEMS_MAX:
        raise invalid(
            f"Array add_invoice_items exceeded maximum {INVOICE_ITEMS_MAX} allowed elements.", param="add_invoice_items"
        )
    for place, entry in enumerate(extra):
        invoiceitem.add_priced(world, customer, entry, Under(f"add_invoice_items[{place}]"))


def _settle(world: World, begun: Begun, behavior: str, paid_with: Document | None) -> None:
    """Collect the first invoice, and say what the subscription is then."""
    subscription, invoice = begun.subscription, begun.invoice
    is_trial = subscription["status"] == "trialing"
    if subscription["collection_method"] == "send_invoice" and not is_trial and invoice["amount_due"]:
        subscription["status"] = "active"
        return
    if paid_with is not None:
        invoicing.finalize(world, invoice, advances=True, paid_with=paid_with)
        if invoice["status"] == "open":
            invoice_settling.share_out(world, paid_with, counts=True)
    elif behavior == "default_incomplete":
        invoicing.finalize(world, invoice, advances=True)
        if invoice["status"] == "open":
            subscription_billing.let_rest(world, invoice)
        if is_trial and invoice_collection.method_of_subscription(world, subscription) is None:
            _offer_setup(world, subscription)
    else:
        refusal = subscription_billing.collect(world, subscription, invoice, is_first=True)
        if refusal is not None and behavior == "error_if_incomplete":
            refusal.keeps_work = False
            raise refusal
    if not is_trial:
        is_settled = invoice["status"] == "paid" or subscription_billing.is_on_its_way(world, invoice)
        subscription["status"] = "active" if is_settled else "incomplete"


def _offer_setup(world: World, subscription: Document) -> None:
    given = {"customer": subscription["customer"], "usage": "off_session"}
    intent = setup_intent.open_intent(world, given, followed_by=subscription_agenda.SET_UP)
    intent.private["subscription"] = subscription.id
    world.save(intent)
    subscription["pending_setup_intent"] = intent.id


def _is_live(subscription: Document) -> bool:
    return subscription["status"] not in subscription_shape.ENDED
