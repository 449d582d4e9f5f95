"""The change of a plan, before and when it is made: what it costs today and later, and the button that does it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel.errors import StripeError
from paydesk.emulator.pages import method_name, portal_home, portal_plans, portal_update, render
from paydesk.emulator.pages.portal_invoices import day
from paydesk.emulator.pages.portal_visit import Room, Visit
from paydesk.emulator.resources import billing_portal_flow, invoice_collection, invoice_lines, promotion_code
from paydesk.emulator.resources import billing_portal_switch as switch
from paydesk.emulator.rules import declines

if TYPE_CHECKING:
    from starlette.responses import Response

    from paydesk.emulator.kernel.document import Document

# Between the preview and the button the share of the period hardly changes: the preview's moment counts for so long.
PREVIEW_SECONDS_MAX: Final = 3600
QUANTITY_DIGITS_MAX: Final = 6
DECLINED: Final = 402
CHANGED: Final = "The amount has changed since you opened this page. Please check it and confirm again."
NOT_CONFIRMED: Final = "Your bank did not confirm the payment. Your plan was not changed."
NO_CARD: Final = "There is no card to charge yet. Add one first."
UNKNOWN_CODE: Final = "This code is not valid. Please check its spelling."
UNCHANGED: Final = "Your plan was not changed."


class Problem(StripeError):
    """What is wrong with a field of the choice, in plain words."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message, status=422)
        self.name = name


@dataclass(frozen=True)
class Line:
    """A line of the invoice that would follow."""

    name: str
    amount: int


@dataclass(frozen=True)
class Bill:
    """What is due today where it `is_now`, else on the day of the next renewal."""

    lines: tuple[Line, ...]
    total: int
    due: int
    is_now: bool
    due_on: str

    @property
    def tax(self) -> int:
        """What comes on top of the lines."""
        return self.total - sum(line.amount for line in self.lines)


@dataclass(frozen=True)
class View:
    """What the change comes to: a bill, or (where it waits for the end of the period) the day it is made."""

    action: str
    back: str | None
    was: portal_plans.Sold
    becomes: portal_plans.Sold
    currency: str
    bill: Bill | None
    changes_on: str | None
    paid_with: str | None
    card: str | None
    fields: dict[str, str]

    @property
    def due_now(self) -> int:
        """What is paid by confirming."""
        return self.bill.due if self.bill is not None and self.bill.is_now else 0

    @property
    def seen(self) -> str:
        """What the customer agrees to by confirming this very page."""
        if self.bill is None:
            return f"on {self.changes_on}"
        return f"{'now' if self.bill.is_now else 'later'} {self.bill.due}"


def _show(visit: Visit) -> Response:
    if visit.text("payment_intent"):
        return _back_from_bank(visit)
    return _page(visit)


def _page(visit: Visit, *, status: int = 200, alert: str | None = None) -> Response:
    try:
        view = _view(visit, _change(visit), _moment(visit))
    except Problem as problem:
        return portal_update.page(visit, status=problem.status, problem=(problem.name, problem.message))
    except StripeError as refusal:
        return _impossible(visit, refusal)
    return visit.page("portal_confirm.html", status=status, alert=alert, view=view)


def _impossible(visit: Visit, refusal: StripeError) -> Response:
    """The choice again, with what is wrong with it."""
    message = "This is what you have already." if refusal.message == switch.NO_CHANGES else refusal.message
    param = refusal.param or ""
    name = "quantity" if param == "quantity" else "code" if param.startswith("discounts") else ""
    return portal_update.page(visit, status=refusal.status, problem=(name, message))


def _wish(visit: Visit, subscription: Document) -> switch.Wish:
    if visit.flow is not None and visit.flow["type"] == "subscription_update_confirm":
        return billing_portal_flow.wish_of(visit.flow, subscription)
    quantity, code = visit.text("quantity"), visit.text("code")
    if quantity and not (quantity.isascii() and quantity.isdecimal() and len(quantity) <= QUANTITY_DIGITS_MAX):
        raise Problem("quantity", "Enter a whole number.")
    return switch.Wish(
        price=visit.text("price") or subscription["items"]["data"][0]["price"]["id"],
        quantity=int(quantity) if quantity else None,
        discounts=({"promotion_code": _code(visit, code)},) if code else (),
    )


def _code(visit: Visit, text: str) -> str:
    """The id of the promotion code that was typed."""
    meant = [one for one in promotion_code.spelled(visit.world, text) if one["active"]]
    theirs = [one for one in meant if one["customer"] in (None, visit.customer.id)]
    if not theirs:
        raise Problem("code", UNKNOWN_CODE)
    return theirs[0].id


def _change(visit: Visit) -> switch.Change:
    subscription = visit.chosen
    return switch.plan(visit.world, visit.configuration, subscription, _wish(visit, subscription))


def _moment(visit: Visit) -> int:
    """The moment that the change is reckoned from: the one the customer saw it for, while it is a fresh one."""
    seen, now = visit.text("at"), visit.world.now
    if not (seen.isascii() and seen.isdecimal() and len(seen) <= len(str(now))):
        return now
    starts = max(item["current_period_start"] for item in visit.chosen["items"]["data"])
    return int(seen) if max(starts, now - PREVIEW_SECONDS_MAX) <= int(seen) <= now else now


def _at(visit: Visit, change: switch.Change, moment: int) -> dict[str, Any]:
    """The parameters, with the moment where a share of the period is reckoned."""
    given = change.given
    is_shared = given.get("proration_behavior", "none") != "none"
    if not is_shared or "trial_end" in given or "billing_cycle_anchor" in given:
        return given
    return given if visit.chosen["status"] == "trialing" else {**given, "proration_date": moment}


def _view(visit: Visit, change: switch.Change, moment: int) -> View:
    world, subscription = visit.world, visit.chosen
    item = subscription["items"]["data"][0]
    method = invoice_collection.method_of_subscription(world, subscription)
    is_flow = visit.flow is not None and visit.flow["type"] == "subscription_update_confirm"
    fields = {name: visit.text(name) for name in ("subscription", "price", "quantity", "code") if visit.text(name)}
    return View(
        action=visit.path("confirm"),
        back=None if is_flow else visit.path("update", **fields),
        was=portal_plans.sold(world, item["price"]["id"], item["quantity"], subscription["currency"]),
        becomes=portal_plans.sold(world, change.price, change.quantity, subscription["currency"]),
        currency=subscription["currency"],
        bill=None if change.waits_until is not None else _bill(visit, change, moment),
        changes_on=None if change.waits_until is None else day(change.waits_until),
        paid_with=None if method is None else method_name.of(method),
        card=visit.path("card") if visit.feature("payment_method_update")["enabled"] else None,
        fields=fields | {"at": str(moment)},
    )


def _bill(visit: Visit, change: switch.Change, moment: int) -> Bill:
    invoice = switch.preview(visit.world, visit.chosen, _at(visit, change, moment))
    lines = (
        Line(line["description"] or "Item", line["amount"] - sum(off["amount"] for off in line["discount_amounts"]))
        for line in invoice_lines.of(invoice)
    )
    is_now = invoice["billing_reason"] == "subscription_update"
    return Bill(tuple(lines), invoice["total"], invoice["amount_due"], is_now, day(invoice["created"]))


def _submit(visit: Visit) -> Response:
    change, moment = _change(visit), _moment(visit)
    view = _view(visit, change, moment)
    if visit.text("seen") != view.seen:
        return visit.page("portal_confirm.html", status=409, alert=CHANGED, view=view)
    if view.due_now and view.paid_with is None:
        return visit.page("portal_confirm.html", status=409, alert=NO_CARD, view=view)
    if change.waits_until is not None:
        switch.put_off(visit.world, visit.chosen, change)
        return visit.finish("planned")
    switch.carry_out(visit.world, visit.chosen, _at(visit, change, moment))
    return visit.finish("changed")


def _refused(visit: Visit, refusal: StripeError) -> Response:
    """Nothing was changed: on to the bank, where it only wants to hear from the customer; else the page says why."""
    if switch.asks_bank(refusal):
        subscription = visit.chosen
        back = visit.world.base_url + visit.path("confirm", subscription=subscription.id)
        given = _at(visit, _change(visit), _moment(visit))
        return render.redirect(switch.ask_bank(visit.world, subscription, given, back))
    if refusal.message == switch.NO_CHANGES:
        # A second click: the first one made the change.
        return visit.finish("changed")
    if refusal.status != DECLINED:
        return _page(visit) if isinstance(refusal, Problem) else _impossible(visit, refusal)
    said = declines.on_page(refusal.code, refusal.extra.get("decline_code"), refusal.message)
    return _page(visit, status=refusal.status, alert=f"{said} {UNCHANGED}")


def _back_from_bank(visit: Visit) -> Response:
    """What became of the change that the bank was asked about."""
    subscription = visit.chosen
    if subscription["pending_update"] is None:
        return visit.finish("changed")
    waits_at = switch.bank_of(visit.world, subscription)
    if waits_at is not None:
        return render.redirect(waits_at)
    switch.give_up(visit.world, subscription)
    return _page(visit, alert=NOT_CONFIRMED) if visit.flow is not None else portal_home.page(visit, alert=NOT_CONFIRMED)


def _is_open(visit: Visit) -> bool:
    if visit.text("payment_intent"):
        return visit.subscription is not None
    return portal_update.is_open(visit)


ROOM: Final = Room(is_open=_is_open, show=_show, submit=_submit, refused=_refused)
