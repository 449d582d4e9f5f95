"""What somebody is about to subscribe to, in the words of the payment page: what it costs, how often, and from when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.pages import render, rhythm
from paydesk.emulator.resources import checkout_line_items as line_items
from paydesk.emulator.resources import checkout_payment, checkout_subscription

if TYPE_CHECKING:
    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World
    from paydesk.emulator.resources.checkout_subscription import Outlook

_DAY: Final = 24 * 3600


@dataclass(frozen=True)
class Plan:
    """A subscription in a few words.

    `headline` is what the eye finds first, with `per` in small behind it; `then` is what follows, and `terms` what the
    customer agrees to. Each but the first two may be empty.
    """

    title: str
    headline: str
    per: str
    then: str
    terms: str
    button: str
    is_trial: bool


def of(world: World, session: Document, seller: str) -> Plan | None:
    """What a session sells by subscription; None where it sells nothing that way, or could begin nothing any more."""
    if session["mode"] != "subscription":
        return None
    outlook = checkout_subscription.outlook(world, session)
    sold = [line for line in line_items.lines_of(session) if line_items.rhythm(world, line) is not None]
    is_trial = outlook.trial_end is not None
    name = sold[0]["description"] if len(sold) == 1 else None
    title = f"Subscribe at {seller}" if name is None else f"{'Try' if is_trial else 'Subscribe to'} {name}"
    is_measured = all(line["quantity"] is None for line in sold)
    headline, per = _headline(session, outlook, None if is_measured else _often(world, sold))
    return Plan(
        title=title,
        headline=headline,
        per=per,
        then=_then(world, session, outlook, sold),
        terms=_terms(session, seller, is_trial=is_trial),
        button="Start trial" if is_trial else "Subscribe",
        is_trial=is_trial,
    )


def note(world: World, line: dict[str, Any], *, is_trial: bool) -> str:
    """How often a line is due, and what it costs then, where that is not what is due of it today."""
    priced = world.ever("price", line["price"])
    if priced["recurring"] is None:
        return ""
    if line["quantity"] == 1 and line["cost"] == line["amount_subtotal"] and not is_trial:
        return rhythm.per(priced["recurring"])
    cost = rhythm.cost(priced, line["currency"], line["quantity"] or 0)
    return f"then {cost}" if is_trial else cost


def _headline(session: Document, outlook: Outlook, often: str | None) -> tuple[str, str]:
    if outlook.trial_end is not None:
        days, rest = divmod(outlook.trial_end - outlook.at, _DAY)
        if rest:
            return f"Free until {render.day(outlook.trial_end)}", ""
        return f"{days} {'day' if days == 1 else 'days'} free", ""
    due = render.money(checkout_payment.due(session), session["currency"])
    if often is not None and outlook.renewal == session["amount_total"] == checkout_payment.due(session):
        return due, often
    return due, "due today"


def _then(world: World, session: Document, outlook: Outlook, sold: list[line_items.Line]) -> str:
    """What is charged next; empty where the headline has said it."""
    used = any(line["quantity"] is None for line in sold)
    more = ", plus what you use" if used and outlook.renewal else ""
    often = _often(world, sold)
    if outlook.renewal is None:
        return "Each part is charged again in its own rhythm."
    if used and not outlook.renewal:
        return f"Then what you use, {often or 'from time to time'}."
    if outlook.trial_end is None and outlook.renewal == session["amount_total"] == checkout_payment.due(session):
        return "Plus what you use, charged afterwards." if more else ""
    amount = render.money(outlook.renewal, session["currency"])
    day = render.day(outlook.renews_at)
    if outlook.trial_end is None and often is not None:
        return f"Then {amount} {often}{more}, from {day}."
    return f"Then {amount}{'' if often is None else ' ' + often}{more}, first on {day}."


def _often(world: World, sold: list[line_items.Line]) -> str | None:
    """How often all of it is due; None where that differs."""
    found = {rhythm.per(line_items.rhythm(world, line) or {}) for line in sold}
    return found.pop() if len(found) == 1 else None


def _terms(session: Document, seller: str, *, is_trial: bool) -> str:
    if not checkout_payment.asks_method(session):
        return "No card is needed now."
    if is_trial:
        return f"{seller} charges this card when the trial is over, and again each time, until you cancel."
    return f"{seller} charges this card now, and again each time it is due, until you cancel."
