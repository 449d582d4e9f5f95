"""The story of a subscriber: a plan, a better one, a renewal that fails, a new card, second thoughts, and the end.

The subscriber presses the buttons of the shop, of the payment page and of the portal. Only the clock, and what
becomes of a card, are worked behind the scenes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from paydesk import User
from paydesk.cli.demo.person import PAYS, Page, Person
from paydesk.cli.demo.witness import Step, WentWrong, Witness, expect

if TYPE_CHECKING:
    from paydesk.billing.facts import Invoice
    from paydesk.billing.subscriptions import HeldSubscription
    from paydesk.cli.demo.stage import Stage

DECLINES = "pm_card_chargeDeclined"
# Stripe finalises a renewal's invoice, and tries the card, an hour after the period began.
TRIED_AFTER = timedelta(hours=2)

# Each thing that happened, and how often.
TOLD = {
    "subscription.started": 1,
    "subscription.changed": 1,
    "subscription.past_due": 1,
    "subscription.recovered": 1,
    "subscription.ending": 2,
    "subscription.resumed": 1,
    "subscription.renewed": 1,
    "subscription.ended": 1,
}


class Subscriber:
    """Somebody who stays for a while."""

    def __init__(self, stage: Stage, witness: Witness, name: str) -> None:
        self._stage = stage
        self._witness = witness
        self._name = name
        self._user = User(id=name, email=f"{name}@example.com")
        self._person = Person(name)

    def tell(self) -> Iterator[Step]:
        """Their story, a step at a time. Raises WentWrong."""
        try:
            yield self._subscribes()
            yield self._changes_plan()
            yield self._owes()
            yield self._recovers()
            yield self._cancels("cancels")
            yield self._takes_it_back()
            yield self._cancels("cancels again, for good")
            yield self._ends()
        finally:
            self._person.leave()

    def _subscribes(self) -> Step:
        home = self._visit("/")
        self._person.send(home, home.form(name="ada"), name=self._name)
        pricing = self._visit("/pricing")
        hosted = self._person.send(pricing, pricing.form(plan="starter"))
        page = self._person.send(hosted, hosted.forms[0], test_card=PAYS)
        expect("Welcome" in page.text, f"the page after paying says {page.text!r}")
        self._sees(lambda held: held.plan == "starter" and held.active, "an active subscription")
        expect("It renews on" in self._visit("/account").text, "the account does not say when it renews")
        return Step(f"{self._name} subscribes to the Reader", "the app knows the plan; the account says when it renews")

    def _changes_plan(self) -> Step:
        expect("open to you" not in self._visit("/").text, "the drafts are open to readers")
        switch = self._visit("/billing-portal?to=switch")
        (circle,) = self._stage.client.v1.prices.list({"lookup_keys": ["pro"]}).data
        shown = self._person.send(switch, switch.form_to("/confirm"), price=circle.id)
        self._person.send(shown, shown.form_to("/confirm"))
        self._sees(lambda held: held.plan == "pro", "the Reading circle")
        expect("open to you" in self._visit("/").text, "the drafts are shut")
        return Step(f"{self._name} goes over to the Reading circle, in the portal", "the drafts open")

    def _owes(self) -> Step:
        (card,) = self._stage.client.v1.customers.payment_methods.list(self._held().customer_id or "").data
        self._witness.control("POST", f"/_local/payment_methods/{card.id}/behave", {"as": DECLINES})
        self._outlive_the_period()
        self._sees(lambda held: held.past_due, "the missing payment")
        self._witness.wait(lambda: len(self._owed()) == 1, "the invoice that was not paid")
        account = self._visit("/account")
        expect("Your last payment did not go through" in account.text, f"the account says {account.text!r}")
        expect(self._told().get("subscription.past_due") == 1, f"the app was told {self._told()}")
        expect("open to you" in self._visit("/").text, "the drafts were shut in the days of grace")
        return Step("a month goes by, and the card is declined", "past due, told once; the account asks for it")

    def _recovers(self) -> Step:
        card = self._visit("/billing-portal?to=card")
        self._person.send(card, card.forms[0], test_card=PAYS)
        (owed,) = self._owed()
        bill = self._person.visit(owed.hosted_invoice_url or "")
        self._person.send(bill, bill.forms[0], test_card=PAYS)
        self._sees(lambda held: held.active and not held.past_due, "the recovery")
        expect("did not go through" not in self._visit("/account").text, "the account still asks for money")
        return Step(f"{self._name} gives another card in the portal, and pays", "in order again; nothing was shut")

    def _cancels(self, what: str) -> Step:
        cancel = self._visit("/billing-portal?to=cancel")
        self._person.send(cancel, cancel.form_to("/cancel"))
        self._sees(lambda held: held.ending, "the cancellation")
        expect("open to you" in self._visit("/").text, "the drafts were shut too soon")
        return Step(f"{self._name} {what}", "it ends when what is paid for is over; the drafts stay open")

    def _takes_it_back(self) -> Step:
        portal = self._visit("/billing-portal")
        self._person.send(portal, portal.form_to("/keep"), subscription=self._held().id)
        self._sees(lambda held: not held.ending and held.renews_at is not None, "second thoughts")
        return Step(f"{self._name} has second thoughts", "it goes on as before")

    def _ends(self) -> Step:
        self._outlive_the_period()
        self._sees(lambda held: held.ended, "the end")
        expect("open to you" not in self._visit("/").text, "the drafts are still open")
        self._witness.settle()
        expect(self._told() == TOLD, f"the app was told {self._told()}")
        return Step("another month goes by", "ended, and the drafts are shut; whatever happened was told once")

    def _told(self) -> dict[str, int]:
        """What the app was told about subscriptions, and how often."""
        return self._witness.counted("SELECT type, count(*) FROM facts WHERE type LIKE 'subscription.%' GROUP BY type")

    def _outlive_the_period(self) -> None:
        end = self._held().current_period_end
        if end is None:
            raise WentWrong("the app does not know until when it is paid for")
        # Not a month on: months that are shorter than the first end on another day.
        self._witness.control("POST", "/_local/clock/advance", {"to": int((end + TRIED_AFTER).timestamp())})

    def _visit(self, path: str) -> Page:
        return self._person.visit(self._stage.shop_url + path)

    def _held(self) -> HeldSubscription:
        held = self._stage.desk.subscription(self._user)
        if held is None:
            raise WentWrong(f"the app knows of no subscription of {self._name}")
        return held

    def _owed(self) -> list[Invoice]:
        """What was asked for and not paid."""
        return [bill for bill in self._stage.desk.invoices(self._user) if bill.status == "open" and bill.attempt_count]

    def _sees(self, seen: Callable[[HeldSubscription], bool], what: str) -> None:
        """Until the app knows it, from its own database."""

        def is_known() -> bool:
            held = self._stage.desk.subscription(self._user)
            return held is not None and seen(held)

        self._witness.wait(is_known, f"{what} of {self._name}")
