"""Subscribing: a subscription from what is asked for to its first invoice.

The API and Checkout both begin one here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel.document import Document
from paydesk.emulator.kernel.errors import StripeError, invalid, missing_param
from paydesk.emulator.resources import (
    invoice_collection,
    invoice_settling,
    invoiceitem,
    invoicing,
    setup_intent,
    subscription_agenda,
    subscription_billing,
    subscription_items,
    subscription_periods,
    subscription_shape,
    subscription_terms,
    subscription_timing,
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
    subscription_timing.begin(world, subscription, items, given)
    _place(world, subscription, items, given)
    subscription_shape.show(subscription, items)
    world.add(subscription)
    subscription_terms.take_discounts(world, subscription, given, subscription_items.cost(world, subscription, items))
    subscription_shape.keep_items(world, subscription, items)
    subscription_terms.take_end(world, subscription, items, given)
    charges = _charges(world, subscription, items, given)
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


def _place(world: World, subscription: Document, items: Sequence[Document], given: dict[str, Any]) -> None:
    """Put every item in its first period, but for an end that may cut it short."""
    since = given.get("backdate_start_date") or world.now
    is_flexible = subscription["billing_mode"]["type"] == "flexible"
    is_billed_back = is_flexible and given.get("proration_behavior") != "none"
    for item in items:
        if subscription["status"] == "trialing":
            subscription_periods.put(item, Period(world.now, subscription["trial_end"]))
            subscription_usage.begin(item, subscription["trial_end"])
            continue
        whole = subscription_periods.holding(subscription, item, world.now)
        start = since if is_billed_back else world.now
        subscription_periods.put(item, Period(max(whole.start, start), whole.end), whole)
        subscription_usage.begin(item, since)


def _charges(world: World, subscription: Document, items: Sequence[Document], given: dict[str, Any]) -> list[Charge]:
    """What is to be billed for the first period, and for the time before it that a subscription is dated back to."""
    prorates = given.get("proration_behavior") != "none"
    is_classic = subscription["billing_mode"]["type"] == "classic"
    charges: list[Charge] = []
    for item in items:
        charges += _before_now(world, subscription, item, given) if prorates else []
        period, whole = subscription_periods.of(item), subscription_periods.whole_of(item)
        if subscription["status"] == "trialing":
            charges.append(Charge(item, period, is_trial=True))
            continue
        is_free = period.start != whole.start and not prorates
        if prorates or is_classic:
            period = subscription_periods.until_end(subscription, period)
            subscription_periods.put(item, period, whole)
        charges.append(Charge(item, period, None if period == whole else whole, is_free=is_free))
    return charges


def _before_now(world: World, subscription: Document, item: Document, given: dict[str, Any]) -> list[Charge]:
    """What is billed for the time before an item's first period: in classic subscriptions at one go, else by period."""
    since = given.get("backdate_start_date")
    if since is None:
        return []
    first = subscription_periods.of(item).start
    if subscription["billing_mode"]["type"] == "classic":
        whole = Period(since, cycles.of_price(item["price"], since).boundary(1))
        return [Charge(item, Period(since, first), whole)] if since < first else []
    charges: list[Charge] = []
    while first > since:
        whole = subscription_periods.holding(subscription, item, first - 1)
        part = Period(max(whole.start, since), first)
        charges.insert(0, Charge(item, part, None if part == whole else whole))
        first = whole.start
    return charges


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
    if subscription["collection_method"] == "send_invoice" and invoice["amount_due"]:
        subscription["status"] = "trialing" if is_trial else "active"
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
