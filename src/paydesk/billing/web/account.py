"""The account page's words: how a subscription stands, and what there is to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from babel.dates import format_date

from paydesk.billing.money import show
from paydesk.billing.plans import MAIN_SLOT

if TYPE_CHECKING:
    from datetime import datetime

    from paydesk.billing.accounts import Account, Holding
    from paydesk.billing.catalog_portal import Portal
    from paydesk.billing.facts import Invoice, Subscription
    from paydesk.billing.plans import Plan
    from paydesk.billing.portal import Destination
    from paydesk.billing.subscriptions import HeldSubscription
    from paydesk.billing.web.pages import Tone


@dataclass(frozen=True)
class Step:
    """Something to do: a button's words and where it leads. `is_urging`: it is the thing to do."""

    label: str
    url: str
    is_urging: bool = False


@dataclass(frozen=True)
class Banner:
    """What stands in the way, in a banner on top."""

    title: str
    sentence: str
    tone: Tone
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class HeldPlan:
    """One subscription as the page shows it."""

    name: str
    state: str
    tone: Tone
    sentence: str
    price: str | None
    seats: str | None
    features: tuple[str, ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Bill:
    """One line in the list of invoices."""

    date: str
    number: str
    amount: str
    state: str
    tone: Tone
    view_url: str | None
    pdf_url: str | None


@dataclass(frozen=True)
class AccountView:
    """Everything the page lays out."""

    banners: tuple[Banner, ...]
    plans: tuple[HeldPlan, ...]
    bills: tuple[Bill, ...]


BILL_STATES: dict[str, tuple[str, Tone]] = {
    "paid": ("Paid", "good"),
    "open": ("Open", "wait"),
    "uncollectible": ("Not paid", "bad"),
}


def view_of(account: Account, prefix: str, offered: Portal) -> AccountView:
    """The page for this account; `prefix` is where the shop's paths begin, `offered` what the portal lets people do."""
    portal = f"{prefix}/billing-portal"
    is_one = len(account.holdings) == 1
    banners = [each for holding in account.holdings if (each := _banner(holding, portal, is_one=is_one)) is not None]
    return AccountView(
        banners=tuple(banners),
        plans=tuple(_plan(holding, prefix, offered) for holding in account.holdings),
        bills=tuple(_bill(invoice) for invoice in account.invoices),
    )


def _banner(holding: Holding, portal: str, *, is_one: bool) -> Banner | None:
    """What a customer whose payment is missing can do about it, the quickest way first; and for which of several."""
    subscription, unpaid = holding.subscription, holding.unpaid
    if not subscription.past_due:
        return None
    whose = "" if is_one else f"{_name(holding)}: "
    card = Step("Use another card", f"{portal}?to=card", is_urging=unpaid is None)
    if unpaid is None or unpaid.hosted_invoice_url is None:
        sentence = "Please check your card, so that we can try again."
        return Banner(f"{whose}A payment is missing", sentence, "bad", (card,))
    amount = show(unpaid.amount_remaining_minor, unpaid.currency)
    pay = Step(f"Pay {amount} now", unpaid.hosted_invoice_url, is_urging=True)
    if unpaid.attempt_count == 0:
        sentence = f"Your bank wants to ask you before {amount} can be paid. It takes a minute."
        return Banner(f"{whose}Your bank needs you", sentence, "wait", (pay, card))
    again = f" We try again on {day(unpaid.next_attempt_at)}." if unpaid.next_attempt_at else ""
    sentence = f"Your card was not charged for {amount}.{again} Pay now, or use another card, and nothing changes."
    return Banner(f"{whose}Your last payment did not go through", sentence, "bad", (pay, card))


def _plan(holding: Holding, prefix: str, offered: Portal) -> HeldPlan:
    subscription, plan = holding.subscription, holding.plan
    state, tone, sentence = _state(subscription, plan)
    return HeldPlan(
        name=_name(holding),
        state=state,
        tone=tone,
        sentence=sentence,
        price=_price(subscription),
        seats=f"{subscription.seats} seats" if subscription.seats > 1 else None,
        features=(*plan.features.values(), *rates_of(plan)) if plan is not None else (),
        steps=_steps(holding, prefix, offered),
    )


def rates_of(plan: Plan) -> tuple[str, ...]:
    """What is charged by use, in words: each once, though each rhythm has a price for it."""
    said = []
    for offer in plan.usage:
        what = str(offer.meter).replace("_", " ").replace("-", " ").capitalize()
        amount = show(offer.money.amount_minor, offer.money.currency, trim_zeros=True)
        said.append(f"{what}: {amount} {f'per {offer.units:,}' if offer.units > 1 else 'each'}")
    return tuple(dict.fromkeys(said))


def _name(holding: Holding) -> str:
    return holding.plan.name if holding.plan is not None else "Your plan"


def _state(subscription: HeldSubscription, plan: Plan | None) -> tuple[str, Tone, str]:
    """The state in a word, its colour, and the sentence that says what comes next."""
    if subscription.ended:
        return "Ended", "calm", f"It ended on {day(subscription.ends_at)}. You are welcome back."
    if subscription.paused:
        return "Paused", "calm", "Nothing is charged while it rests."
    if subscription.status == "unpaid":
        return "Not paid", "bad", "It rests until the payment has arrived."
    if subscription.past_due:
        return "Payment missing", "bad", _grace(subscription, plan)
    if subscription.ending:
        return "Ends soon", "wait", f"It is cancelled, and yours until {day(subscription.ends_at)}."
    if subscription.on_trial:
        return "Trial", "good", f"Free until {day(subscription.trial_ends_at)}. The first payment is due then."
    return "Active", "good", f"It renews on {day(subscription.renews_at)}."


def _grace(subscription: HeldSubscription, plan: Plan | None) -> str:
    """How long what the plan allows stays allowed: what the gates say, and true before and after that day."""
    if plan is None or subscription.past_due_since is None or plan.grace_days == 0:
        return "It rests until the payment has arrived."
    until = subscription.past_due_since + timedelta(days=plan.grace_days)
    return f"While the payment is missing, it is yours until {day(until)}."


def _steps(holding: Holding, prefix: str, offered: Portal) -> tuple[Step, ...]:
    subscription, portal = holding.subscription, f"{prefix}/billing-portal"
    if subscription.ended:
        return (Step("See the plans", f"{prefix}/pricing", is_urging=True),)
    if subscription.ending:
        return (Step("Keep it", portal, is_urging=True),)
    if subscription.paused:
        return (Step("Go on", portal, is_urging=True),)
    can_switch = offered.switch and holding.has_choice
    switch = [Step("Change plan", f"{portal}{to('switch', subscription)}")] if can_switch else []
    cancel = [Step("Cancel", f"{portal}{to('cancel', subscription)}")] if offered.cancel != "no" else []
    return (*switch, *cancel)


def _price(subscription: HeldSubscription) -> str | None:
    if subscription.amount_minor is None or subscription.currency is None or subscription.ended:
        return None
    amount = show(subscription.amount_minor, subscription.currency, trim_zeros=True)
    return f"{amount} every {subscription.billed_every}" if subscription.billed_every else amount


def _bill(invoice: Invoice) -> Bill:
    state, tone = BILL_STATES[invoice.status]
    # What was paid shows what it cost, what is open what is left to pay.
    amount = invoice.amount_remaining_minor if invoice.status == "open" else invoice.total_minor
    return Bill(
        date=day(invoice.created_at),
        number=invoice.number or invoice.id,
        amount=show(amount, invoice.currency),
        state=state,
        tone=tone,
        view_url=invoice.hosted_invoice_url,
        pdf_url=invoice.invoice_pdf,
    )


def to(destination: Destination, subscription: Subscription) -> str:
    """The query of /billing-portal that leads to this subscription, and not to another one of the same person's."""
    slot = "" if subscription.slot == MAIN_SLOT else f"&slot={subscription.slot}"
    return f"?to={destination}{slot}"


def day(moment: datetime | None) -> str:
    """The date as people write it."""
    return format_date(moment, "d MMMM y", locale="en") if moment is not None else "a day to come"
