"""The story of a first paid customer, of a subscriber, and of what usually goes wrong, told by doing it.

Every step is real HTTP: the shop's own pages, the hosted payment page's own forms, signed webhooks. A step
says what it saw; a step that sees anything else stops the story.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import httpx2
from sqlalchemy import text

from paydesk.cli.demo.books import compare
from paydesk.cli.demo.person import PAYS, Page, Person
from paydesk.cli.demo.subscriber import Subscriber
from paydesk.cli.demo.witness import Step, Witness, expect

if TYPE_CHECKING:
    from paydesk.cli.demo.stage import Stage

DECLINED = "4000000000000002"
INSUFFICIENT = "4000000000009995"
ASKS_BANK = "4000002760003184"


def tell(stage: Stage) -> Iterator[Step]:
    """The whole story, a step at a time. Raises WentWrong."""
    return _Story(stage).tell()


def first_purchase(stage: Stage) -> Step:
    """Its first step alone. Raises WentWrong."""
    return next(tell(stage))


class _Story:
    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._db = stage.desk.store.engine
        self._witness = Witness(stage)
        self._people: dict[str, Person] = {}

    def tell(self) -> Iterator[Step]:
        yield self._buys("ada")
        yield self._is_declined("bob", DECLINED, "Your credit card was declined.", "a decline")
        yield self._is_declined("cyn", INSUFFICIENT, "insufficient funds", "insufficient funds")
        yield self._passes_3ds("dee")
        yield self._fails_3ds("eve")
        yield self._hears_three_times("ada")
        yield self._refuses_a_forgery()
        yield self._loses_a_webhook("fay")
        yield self._refunds("ada")
        yield self._counts()
        yield from Subscriber(self._stage, self._witness, "gus").tell()
        yield compare(self._stage, self._witness)

    def _buys(self, name: str) -> Step:
        page = self._pay(name, PAYS)
        expect("Thank you" in page.text, f"the thanks page says {page.text!r}")
        self._witness.wait(lambda: self._shelf(name) == ["yours"], f"{name}'s e-book on the shelf")
        return Step(f"{name} buys the e-book with a card that works", f"order {self._status(name)}, on the shelf once")

    def _is_declined(self, name: str, card: str, refusal: str, what: str) -> Step:
        page = self._pay(name, card)
        expect(refusal in page.text, f"the payment page says {page.text!r}")
        expect(self._status(name) == "pending", f"the order is {self._status(name)}")
        expect(self._shelf(name) == [], "something was delivered for nothing")
        return Step(f"{name} tries a card that ends in {what}", "the page says so and stays open; nothing is delivered")

    def _passes_3ds(self, name: str) -> Step:
        page = self._answer_bank(name, "complete")
        expect("Thank you" in page.text, f"the thanks page says {page.text!r}")
        self._witness.wait(lambda: self._shelf(name) == ["yours"], f"{name}'s e-book on the shelf")
        return Step(f"{name}'s bank asks (3-D Secure), {name} confirms", "paid, on the shelf once")

    def _fails_3ds(self, name: str) -> Step:
        page = self._answer_bank(name, "fail")
        expect("unable to authenticate" in page.text, f"the payment page says {page.text!r}")
        expect(self._status(name) == "pending", f"the order is {self._status(name)}")
        return Step(f"{name}'s bank asks, {name} fails the check", "back on the payment page; nothing is delivered")

    def _hears_three_times(self, name: str) -> Step:
        event = self._witness.event("checkout.session.completed", self._order(name)["session_id"])
        for _ in range(2):
            self._witness.control("POST", f"/_local/events/{event}/resend")
        self._witness.wait(lambda: self._witness.answered(event) >= 3, "three deliveries of one event")
        self._stage.desk.work()
        expect(self._shelf(name) == ["yours"], f"the shelf holds {self._shelf(name)}")
        return Step("the same webhook arrives three times", "kept once, delivered once")

    def _refuses_a_forgery(self) -> Step:
        event = self._stage.client.v1.events.list({"limit": 1}).data[0].to_dict()
        forged = json.dumps(event | {"id": "evt_forged"}).encode()
        answer = httpx2.post(
            f"{self._stage.shop_url}/webhooks/stripe",
            content=forged,
            headers={"Stripe-Signature": f"t={int(time.time())},v1={'0' * 64}"},
        )
        expect(answer.status_code == 400, f"a forged webhook was answered with {answer.status_code}")
        kept = self._witness.count("SELECT count(*) FROM events WHERE id = 'evt_forged'")
        expect(kept == 0, "a forged webhook was kept")
        return Step("somebody forges a webhook", "400; not kept, not believed")

    def _loses_a_webhook(self, name: str) -> Step:
        self._witness.control("POST", "/_local/faults", {"fault": "drop", "rate": 1.0})
        page = self._pay(name, PAYS)
        expect("Thank you" in page.text, f"the thanks page says {page.text!r}")
        self._witness.wait(lambda: self._shelf(name) == ["yours"], f"{name}'s e-book on the shelf")
        self._witness.control("DELETE", "/_local/faults")
        return Step(f"every webhook about {name}'s payment is lost", "the thanks page finds it; on the shelf once")

    def _refunds(self, name: str) -> Step:
        self._stage.desk.refund(str(self._order(name)["id"]), reason="requested_by_customer")
        self._witness.wait(lambda: self._shelf(name) == ["returned"], f"{name}'s e-book taken back")
        expect(self._status(name) == "refunded", f"the order is {self._status(name)}")
        return Step(f"{name} wants the money back", "refunded at Stripe and in the ledger; taken back once")

    def _counts(self) -> Step:
        self._witness.settle()
        orders = self._witness.counted("SELECT status, count(*) FROM orders GROUP BY status")
        expect(orders == {"paid": 2, "pending": 3, "refunded": 1}, f"the ledger says {orders}")
        charges = self._stage.client.v1.charges.list({"limit": 100}).data
        taken = sum(charge.amount - charge.amount_refunded for charge in charges if charge.paid)
        expect(taken == 2 * 1900, f"Stripe took {taken}")
        shelf = self._witness.counted("SELECT state, count(*) FROM shelf GROUP BY state")
        expect(shelf == {"yours": 2, "returned": 1}, f"the shelf says {shelf}")
        return Step("the orders are compared", "6 orders: 2 paid, 1 refunded, 3 never paid; Stripe says the same")

    def _pay(self, name: str, card: str) -> Page:
        """From the shop's button to wherever the card leads."""
        person = Person(name)
        home = person.visit(self._stage.shop_url)
        person.send(home, home.form(name="ada"), name=name)
        pricing = person.visit(f"{self._stage.shop_url}/pricing")
        hosted = person.send(pricing, pricing.form(sku="ebook"))
        page = person.send(hosted, hosted.forms[0], test_card=card)
        if "Confirm it is you" not in page.text:
            person.leave()
        self._people[name] = person
        return page

    def _answer_bank(self, name: str, answer: str) -> Page:
        challenge = self._pay(name, ASKS_BANK)
        expect("Confirm it is you" in challenge.text, f"no bank asked: {challenge.text!r}")
        person = self._people[name]
        page = person.send(challenge, challenge.forms[0], answer=answer)
        person.leave()
        return page

    def _order(self, name: str) -> dict[str, object]:
        with self._db.connect() as connection:
            found = connection.execute(text("SELECT * FROM orders WHERE user_id = :name"), {"name": name})
            return dict(found.mappings().one())

    def _status(self, name: str) -> object:
        return self._order(name)["status"]

    def _shelf(self, name: str) -> list[str]:
        query = text("SELECT state FROM shelf WHERE owner = :name ORDER BY id")
        with self._db.connect() as connection:
            return list(connection.execute(query, {"name": name}).scalars())
