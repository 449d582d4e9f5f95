"""What the payment page shows of a session: worked out here, so that the template only arranges it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.pages import checkout_code, checkout_form, checkout_plan, method_name, render
from paydesk.emulator.pages.checkout_form import Typed
from paydesk.emulator.resources import (
    account,
    checkout_discounts,
    checkout_payer,
    checkout_payment,
    checkout_saved,
    checkout_taxes,
)
from paydesk.emulator.resources import checkout_line_items as line_items

if TYPE_CHECKING:
    from collections.abc import Mapping

    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World
    from paydesk.emulator.pages.checkout_plan import Plan

# More than this is folded away, so that the card stays in sight on a phone.
ITEMS_SHOWN: Final = 4

_TEST_CARDS: Final = (
    ("4242424242424242", "Succeeds"),
    ("4000000000000002", "Declined"),
    ("4000000000009995", "No funds"),
    ("4000002760003184", "Asks 3-D Secure"),
    ("5555555555554444", "Mastercard"),
    ("378282246310005", "Amex"),
    ("4000056655665556", "Debit card"),
    ("4000000000000069", "Expired"),
    ("4000000000000127", "Wrong CVC"),
    ("4000000000000119", "Processing error"),
    ("4000000000009987", "Lost"),
    ("4100000000000019", "Blocked"),
    ("4000000000000341", "Fails later"),
    ("4000008400001629", "3DS, declined"),
    ("4000000032200000", "3DS, unseen"),
    ("4000000000000259", "Disputed later"),
    ("4000000000005126", "Refund fails"),
    ("4000000000001208", "Asks a person"),
)
# Live mode refuses test cards; this number is well-formed and nobody's.
_LIVE_CARDS: Final = (("4111111111111111", "Succeeds"),)

_BUTTONS: Final = {"book": "Book", "donate": "Donate", "subscribe": "Subscribe"}


@dataclass(frozen=True)
class Item:
    """A line of the order.

    `each` is null where one piece has no whole amount of its own, `quantity` where what is used is measured; `often` is
    empty for what is paid once.
    """

    id: str
    name: str
    description: str | None
    quantity: int | None
    amount: int
    each: int | None
    often: str
    is_adjustable: bool = False
    minimum: int = 0
    maximum: int = 0


@dataclass(frozen=True)
class Discount:
    """What the order is cheaper by, and why. `note` is empty where the amount says it all."""

    label: str
    note: str
    amount: int
    is_removable: bool


@dataclass(frozen=True)
class SavedCard:
    """A card that the customer left before."""

    id: str
    name: str
    until: str
    is_chosen: bool


@dataclass(frozen=True)
class TestCard:
    """A card to try with one click."""

    number: str
    label: str
    cvc: str


@dataclass(frozen=True)
class Sample:
    """What a test card fills in beside itself."""

    expiry: str
    email: str = checkout_form.SAMPLE_EMAIL
    name: str = checkout_form.SAMPLE_NAME
    postal_code: str = checkout_form.SAMPLE_POSTAL_CODE


@dataclass(frozen=True)
class View:
    """Everything the page's template shows."""

    id: str
    action: str
    seller: str
    is_setup: bool
    is_saved: bool
    plan: Plan | None
    livemode: bool
    currency: str
    subtotal: int
    others: int
    tax: int
    balance: int
    due: int
    items: tuple[Item, ...]
    shown: int
    discount: Discount | None
    asks_code: bool
    cancel_url: str | None
    success_url: str
    fixed_email: str | None
    asks_card: bool
    saved_cards: tuple[SavedCard, ...]
    asks_person: bool
    button: str
    cards: tuple[TestCard, ...]
    sample: Sample
    countries: Mapping[str, str]
    typed: Typed
    alert: str | None = None
    problems: Mapping[str, str] = field(default_factory=dict)

    @property
    def expected_amount(self) -> int:
        """What the customer agrees to by submitting this very page."""
        return self.due

    @property
    def focus(self) -> str | None:
        """The first field that needs another look."""
        return next(iter(self.problems), None)


def of(
    world: World,
    session: Document,
    *,
    typed: Typed | None = None,
    alert: str | None = None,
    problems: Mapping[str, str] | None = None,
    asks_person: bool = False,
) -> View:
    """The page of an open session."""
    is_setup = session["mode"] == "setup"
    due, seller = checkout_payment.due(session), seller_of(world, session)
    plan = checkout_plan.of(world, session, seller)
    items = items_of(world, session, is_trial=plan is not None and plan.is_trial)
    return View(
        id=session.id,
        action=f"/c/pay/{session.id}",
        seller=seller,
        is_setup=is_setup,
        is_saved=is_setup or bool(session.private.get("payment_intent_data", {}).get("setup_future_usage")),
        plan=plan,
        livemode=world.livemode,
        currency=session["currency"] or "usd",
        subtotal=session["amount_subtotal"] or 0,
        others=(session["amount_subtotal"] or 0) - sum(item.amount for item in items),
        tax=checkout_taxes.on_top(session),
        balance=due - (session["amount_total"] or 0),
        due=due,
        items=items,
        # One folded item would save no room.
        shown=ITEMS_SHOWN if len(items) > ITEMS_SHOWN + 1 else len(items),
        discount=discount_of(session),
        asks_code=checkout_code.is_asked(session),
        cancel_url=with_id(session["cancel_url"], session),
        success_url=session["success_url"],
        fixed_email=checkout_payer.fixed_email(world, session),
        asks_card=checkout_payment.asks_method(session),
        saved_cards=_saved_cards(world, session, None if typed is None else typed.saved_card),
        asks_person=asks_person,
        button=_button(session, plan),
        cards=test_cards(world),
        sample=sample(world),
        countries=render.countries(),
        typed=(typed or remembered(session)).without_card(),
        alert=alert,
        problems=problems or {},
    )


def test_cards(world: World) -> tuple[TestCard, ...]:
    """The cards to try with one click."""
    return tuple(
        TestCard(number, label, checkout_form.sample_cvc(number))
        for number, label in (_LIVE_CARDS if world.livemode else _TEST_CARDS)
    )


def sample(world: World) -> Sample:
    """What they fill in beside themselves."""
    return Sample(checkout_form.sample_expiry(today(world)))


def items_of(world: World, session: Document, *, is_trial: bool = False) -> tuple[Item, ...]:
    """The lines of the order."""
    return tuple(_item(world, line, is_trial=is_trial) for line in line_items.lines_of(session))


def discount_of(session: Document) -> Discount | None:
    """What made the order cheaper."""
    kept = checkout_discounts.of(session)
    if kept is None:
        return None
    percent = kept["terms"]["percent_off"]
    return Discount(
        label=kept["label"],
        note="" if percent is None else f"{percent}% off",
        amount=session["total_details"]["amount_discount"],
        is_removable=kept["is_typed"],
    )


def remembered(session: Document) -> Typed:
    """What was typed before the customer went to their bank and came back."""
    return Typed(**session.private.get("typed", {}))


def seller_of(world: World, session: Document | None = None) -> str:
    """The seller's name as the customer knows it."""
    chosen: str | None = session["branding_settings"]["display_name"] if session is not None else None
    return chosen or account.seller(world)


def with_id(url: str | None, session: Document) -> str | None:
    """A return address with the session's id where its placeholder stood."""
    return None if url is None else url.replace("{CHECKOUT_SESSION_ID}", session.id)


def today(world: World) -> date:
    """The day it is in the sandbox."""
    return datetime.fromtimestamp(world.wall, UTC).date()


def _item(world: World, line: dict[str, Any], *, is_trial: bool) -> Item:
    priced = world.ever("price", line["price"])
    product = world.find("product", priced["product"])
    allowed = line["adjustable_quantity"] or {}
    return Item(
        id=line["id"],
        name=line["description"] or "Item",
        description=product["description"] if product is not None else None,
        quantity=line["quantity"],
        amount=line["amount_subtotal"],
        each=line_items.each(world, line),
        often=checkout_plan.note(world, line, is_trial=is_trial),
        is_adjustable=bool(allowed.get("enabled")),
        minimum=allowed.get("minimum", 0),
        maximum=allowed.get("maximum", 0),
    )


def _saved_cards(world: World, session: Document, chosen: str | None) -> tuple[SavedCard, ...]:
    """The cards to choose from; the first one is chosen until the customer says otherwise."""
    found = checkout_saved.offered(world, session)
    if chosen is None and found:
        chosen = found[0].id
    return tuple(
        SavedCard(
            method.id,
            method_name.of(method),
            f"Expires {method['card']['exp_month']:02} / {method['card']['exp_year'] % 100:02}",
            method.id == chosen,
        )
        for method in found
    )


def _button(session: Document, plan: Plan | None) -> str:
    due, wanted = checkout_payment.due(session), session["submit_type"]
    if session["mode"] == "setup":
        return "Save card"
    if plan is not None and (not due or wanted in (None, "auto", "subscribe")):
        return plan.button
    if not due:
        return "Complete order"
    return f"{_BUTTONS.get(wanted or '', 'Pay')} {render.money(due, session['currency'])}"
