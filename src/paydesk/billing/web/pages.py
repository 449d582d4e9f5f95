"""The pages a shop's customers see: pricing, thanks, account, and what went wrong.

Each page is a template of ours, which a template of the same name in the app's
own folder replaces (or extends: `{% extends "paydesk/pricing.html" %}`). The
values a page is made from are decided here; the template only lays them out.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PackageLoader, PrefixLoader, select_autoescape

from paydesk.billing.money import show
from paydesk.billing.web.account import Step, day, rates_of, to, view_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from paydesk.billing.accounts import Account, Holding
    from paydesk.billing.catalog import Product
    from paydesk.billing.catalog_portal import Portal
    from paydesk.billing.orders import Progress, Stage
    from paydesk.billing.plans import Plan
    from paydesk.billing.signups import SignupProgress
    from paydesk.billing.signups import Stage as SignupStage
    from paydesk.billing.subscriptions import HeldSubscription

Tone = Literal["good", "wait", "bad", "calm"]

# A slow payment is looked at again by itself; the page says so, and needs no script for it.
REFRESH_SECONDS = 5


@dataclass(frozen=True)
class Shop:
    """What every page knows: whose shop this is, and where its paths begin."""

    name: str
    prefix: str
    home: str
    livemode: bool

    @classmethod
    def at(cls, base_url: str, *, prefix: str, name: str | None, livemode: bool) -> Shop:
        """The shop at this address, called after its host unless it has a name."""
        return cls(name or _name_of(urlsplit(base_url).hostname), prefix, f"{base_url}/", livemode)


@dataclass(frozen=True)
class Ware:
    """A product on the pricing page, its price as people read it."""

    code: str
    name: str
    description: str
    image: str | None
    price: str
    quantity_min: int
    quantity_max: int


@dataclass(frozen=True)
class PlanWare:
    """A plan on the pricing page. `offers` are its rhythms, each with its price; the first is chosen already.

    `is_current`: it is what the person has. `step` leads whoever has a plan in its slot on, instead of a button to buy.
    """

    code: str
    name: str
    description: str
    offers: tuple[tuple[str, str], ...]
    seats_min: int
    seats_max: int
    trial_days: int | None
    features: tuple[str, ...]
    is_current: bool = False
    step: Step | None = None


@dataclass(frozen=True)
class Told:
    """How one stage of an order is told to its customer. `is_urging`: the next step is the thing to do."""

    sign: str
    tone: Tone
    title: str
    sentence: str
    amount_label: str = "Total"
    next_label: str = "Back to the shop"
    is_urging: bool = False
    refresh_seconds: int | None = None


TOLD: dict[Stage, Told] = {
    "paid": Told("tick", "good", "Thank you!", "Your payment has arrived and your order is complete.", "Paid"),
    "processing": Told(
        "clock",
        "wait",
        "Your payment is on its way",
        "Some ways of paying take a while. There is nothing left for you to do: this page looks again by itself, "
        "and you may also close it.",
        refresh_seconds=REFRESH_SECONDS,
    ),
    "open": Told(
        "back",
        "calm",
        "Not paid yet",
        "The payment was not finished, and nothing was charged. You can go back to it, or leave it.",
    ),
    "failed": Told(
        "cross",
        "bad",
        "The payment did not go through",
        "Your bank or card refused it in the end, and nothing was charged. You can try again in another way.",
        next_label="Try again",
        is_urging=True,
    ),
    "expired": Told(
        "clock",
        "calm",
        "This payment page has closed",
        "Nobody paid on it in time, and nothing was charged. You are welcome to start again.",
        next_label="Start again",
        is_urging=True,
    ),
    "refunded": Told(
        "back",
        "calm",
        "This order was refunded",
        "The money is on its way back to where it came from. Banks take up to ten days to show it.",
        "Paid",
    ),
}


TRIAL_SENTENCE = "Everything is yours to try. Nothing was charged, and you can cancel before the trial ends."
WELCOMED: dict[SignupStage, Told] = {
    "subscribed": Told(
        "tick", "good", "Welcome!", "Your subscription has started.", next_label="Your account", is_urging=True
    ),
    "processing": Told(
        "clock",
        "wait",
        "Your subscription is on its way",
        "There is nothing left for you to do: this page looks again by itself, and you may also close it.",
        next_label="Your account",
        refresh_seconds=REFRESH_SECONDS,
    ),
    "open": Told(
        "back",
        "calm",
        "Not subscribed yet",
        "The page was not finished, and nothing was charged. You can go back to it, or leave it.",
        next_label="Your account",
    ),
    "expired": Told(
        "clock",
        "calm",
        "This page has closed",
        "Nobody subscribed on it in time, or another plan was chosen instead. Nothing was charged.",
        next_label="See the plans",
        is_urging=True,
    ),
}


class Pages:
    """The pages of one shop. `folder` is the app's own templates, which go first."""

    def __init__(self, shop: Shop, folder: Path | str | None = None) -> None:
        self.shop = shop
        ours = PackageLoader("paydesk.billing.web", "templates")
        own = [FileSystemLoader(folder)] if folder is not None else []
        self._templates = Environment(
            loader=ChoiceLoader([*own, ours, PrefixLoader({"paydesk": ours})]),
            autoescape=select_autoescape(default=True, disabled_extensions=("txt",)),
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def pricing(
        self,
        products: Iterable[Product],
        plans: Iterable[Plan] = (),
        *,
        holdings: Iterable[Holding] = (),
        can_switch: bool = True,
    ) -> str:
        """Everything that is sold, each with a button. `holdings` are what the person has already."""
        held = {holding.subscription.slot: holding for holding in holdings}
        plan_wares = [_plan_ware(plan, held.get(plan.slot), self.shop.prefix, can_switch=can_switch) for plan in plans]
        return self.render("pricing.html", products=[_ware(product) for product in products], plans=plan_wares)

    def thanks(self, progress: Progress, product: Product | None) -> str:
        """Where customers come back to: how far their order is. `product` is None if it is no longer sold."""
        order, told = progress.order, TOLD[progress.stage]
        view = {
            **vars(told),
            "item": product.name if product is not None else order.sku,
            "quantity": order.quantity,
            "amount": show(order.amount_minor, order.currency),
            "refunded": show(order.amount_refunded_minor, order.currency) if order.amount_refunded_minor else None,
            "email": order.email if progress.stage == "paid" else None,
            "order_id": order.id,
            "pay_url": progress.pay_url,
            "next_url": f"{self.shop.prefix}/pricing" if progress.stage != "paid" else self.shop.home,
        }
        return self.render("thanks.html", view=view)

    def welcome(self, signup: SignupProgress, plan: Plan | None) -> str:
        """Where customers come back to from subscribing. `plan` is None if it is no longer in the catalog."""
        told, subscription = WELCOMED[signup.stage], signup.subscription
        is_trial = subscription is not None and subscription.on_trial
        view = {
            **vars(told),
            "sentence": TRIAL_SENTENCE if is_trial and signup.stage == "subscribed" else told.sentence,
            "lines": _lines(signup, plan),
            "pay_url": signup.pay_url,
            "next_url": f"{self.shop.prefix}/{'pricing' if signup.stage == 'expired' else 'account'}",
        }
        return self.render("welcome.html", view=view)

    def account(self, account: Account, offered: Portal) -> str:
        """What somebody has: plans, and invoices. `offered` is what they can do about it in the portal."""
        return self.render("account.html", view=view_of(account, self.shop.prefix, offered))

    def error(
        self,
        title: str,
        sentence: str,
        *,
        detail: str | None = None,
        tone: Tone = "bad",
        way_out: Step | None = None,
    ) -> str:
        """What went wrong, in the customer's words. `detail` is for the developer and shown in test mode only."""
        sign = "cross" if tone == "bad" else "question"
        view = {
            "sign": sign,
            "tone": tone,
            "title": title,
            "sentence": sentence,
            "detail": None if self.shop.livemode else detail,
            "way_out": way_out,
        }
        return self.render("error.html", view=view)

    def render(self, template: str, **values: Any) -> str:
        """A template with these values, the app's own if it has one of that name. Only `.txt` escapes nothing."""
        return self._templates.get_template(template).render(shop=self.shop, **values)


def _name_of(host: str | None) -> str:
    """A host as a shop's name; an address of numbers is nobody's."""
    try:
        ipaddress.ip_address(host or "")
    except ValueError:
        return host or "Shop"
    return "Shop"


def _ware(product: Product) -> Ware:
    return Ware(
        code=product.code,
        name=product.name,
        description=product.description,
        image=product.image,
        price=show(product.price.amount_minor, product.price.currency, trim_zeros=True),
        quantity_min=product.quantity_min,
        quantity_max=product.quantity_max,
    )


def _plan_ware(plan: Plan, holding: Holding | None, prefix: str, *, can_switch: bool) -> PlanWare:
    held = holding.subscription if holding is not None else None
    can_switch = can_switch and not plan.usage and holding is not None and holding.has_choice
    prices = tuple(
        (str(offer.every), f"{show(offer.money.amount_minor, offer.money.currency, trim_zeros=True)} / {offer.every}")
        for offer in plan.offers
    )
    return PlanWare(
        code=plan.code,
        name=plan.name,
        description=plan.description,
        offers=prices,
        seats_min=plan.seats_min,
        seats_max=plan.seats_max,
        trial_days=plan.trial_days if held is None else None,  # only whoever had nothing before is given a trial
        features=(*plan.features.values(), *rates_of(plan)),
        is_current=held is not None and held.is_live and held.plan == plan.code,
        step=_step_of(plan, held, prefix, can_switch=can_switch) if held is not None and held.is_live else None,
    )


def _step_of(plan: Plan, held: HeldSubscription, prefix: str, *, can_switch: bool) -> Step:
    """Nobody buys a second plan beside the first: they change it, or see to it."""
    if held.plan != plan.code and held.active and can_switch:
        return Step(f"Change to {plan.name}", f"{prefix}/billing-portal{to('switch', held)}", is_urging=True)
    return Step("See your plan", f"{prefix}/account")


def _lines(signup: SignupProgress, plan: Plan | None) -> list[tuple[str, str]]:
    """What the welcome page says about the subscription, once there is one."""
    lines = [("Plan", plan.name if plan is not None else signup.plan)]
    subscription = signup.subscription
    if subscription is None:
        return lines
    if subscription.seats > 1:
        lines.append(("Seats", str(subscription.seats)))
    if subscription.amount_minor is not None and subscription.currency is not None:
        price = show(subscription.amount_minor, subscription.currency)
        lines.append(("Price", f"{price} every {subscription.billed_every}"))
    if subscription.renews_at is not None:
        lines.append(("First payment" if subscription.on_trial else "Renews", day(subscription.renews_at)))
    return lines
