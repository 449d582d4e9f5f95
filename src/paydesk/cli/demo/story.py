"""The story of a first paid customer, and of what usually goes wrong, told by doing it.

Every step is real HTTP: the shop's own pages, the hosted payment page's own forms, signed webhooks. A step
says what it saw; a step that sees anything else stops the story.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx2
from sqlalchemy import text

from paydesk.cli.demo.person import Page, Person

if TYPE_CHECKING:
    from paydesk.cli.demo.stage import Stage

PAYS = "4242424242424242"
DECLINED = "4000000000000002"
INSUFFICIENT = "4000000000009995"
ASKS_BANK = "4000002760003184"

# A webhook and its handlers take milliseconds; a machine that is busy with other things gets this long.
PATIENCE_SECONDS = 30.0


class WentWrong(Exception):
    """The story saw something it should not have seen."""


@dataclass(frozen=True)
class Step:
    """What was done, and what the app knew afterwards."""

    did: str
    saw: str


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

    def _buys(self, name: str) -> Step:
        page = self._pay(name, PAYS)
        _expect("Thank you" in page.text, f"the thanks page says {page.text!r}")
        self._wait(lambda: self._shelf(name) == ["yours"], f"{name}'s e-book on the shelf")
        return Step(f"{name} buys the e-book with a card that works", f"order {self._status(name)}, on the shelf once")

    def _is_declined(self, name: str, card: str, refusal: str, what: str) -> Step:
        page = self._pay(name, card)
        _expect(refusal in page.text, f"the payment page says {page.text!r}")
        _expect(self._status(name) == "pending", f"the order is {self._status(name)}")
        _expect(self._shelf(name) == [], "something was delivered for nothing")
        return Step(f"{name} tries a card that ends in {what}", "the page says so and stays open; nothing is delivered")

    def _passes_3ds(self, name: str) -> Step:
        page = self._answer_bank(name, "complete")
        _expect("Thank you" in page.text, f"the thanks page says {page.text!r}")
        self._wait(lambda: self._shelf(name) == ["yours"], f"{name}'s e-book on the shelf")
        return Step(f"{name}'s bank asks (3-D Secure), {name} confirms", "paid, on the shelf once")

    def _fails_3ds(self, name: str) -> Step:
        page = self._answer_bank(name, "fail")
        _expect("unable to authenticate" in page.text, f"the payment page says {page.text!r}")
        _expect(self._status(name) == "pending", f"the order is {self._status(name)}")
        return Step(f"{name}'s bank asks, {name} fails the check", "back on the payment page; nothing is delivered")

    def _hears_three_times(self, name: str) -> Step:
        event = self._event("checkout.session.completed", self._order(name)["session_id"])
        for _ in range(2):
            self._control("POST", f"/_local/events/{event}/resend")
        self._wait(lambda: self._answered(event) >= 3, "three deliveries of one event")
        self._stage.desk.work()
        _expect(self._shelf(name) == ["yours"], f"the shelf holds {self._shelf(name)}")
        return Step("the same webhook arrives three times", "kept once, delivered once")

    def _refuses_a_forgery(self) -> Step:
        event = self._stage.client.v1.events.list({"limit": 1}).data[0].to_dict()
        forged = json.dumps(event | {"id": "evt_forged"}).encode()
        answer = httpx2.post(
            f"{self._stage.shop_url}/webhooks/stripe",
            content=forged,
            headers={"Stripe-Signature": f"t={int(time.time())},v1={'0' * 64}"},
        )
        _expect(answer.status_code == 400, f"a forged webhook was answered with {answer.status_code}")
        _expect(self._count("SELECT count(*) FROM events WHERE id = 'evt_forged'") == 0, "a forged webhook was kept")
        return Step("somebody forges a webhook", "400; not kept, not believed")

    def _loses_a_webhook(self, name: str) -> Step:
        self._control("POST", "/_local/faults", {"fault": "drop", "rate": 1.0})
        page = self._pay(name, PAYS)
        _expect("Thank you" in page.text, f"the thanks page says {page.text!r}")
        self._wait(lambda: self._shelf(name) == ["yours"], f"{name}'s e-book on the shelf")
        self._control("DELETE", "/_local/faults")
        return Step(f"every webhook about {name}'s payment is lost", "the thanks page finds it; on the shelf once")

    def _refunds(self, name: str) -> Step:
        self._stage.desk.refund(str(self._order(name)["id"]), reason="requested_by_customer")
        self._wait(lambda: self._shelf(name) == ["returned"], f"{name}'s e-book taken back")
        _expect(self._status(name) == "refunded", f"the order is {self._status(name)}")
        return Step(f"{name} wants the money back", "refunded at Stripe and in the ledger; taken back once")

    def _counts(self) -> Step:
        self._stage.desk.work()
        # The last events may still be on their way through the shop's own worker.
        self._wait(lambda: self._states("events") == {"applied"}, "every event to be applied")
        self._wait(lambda: self._states("effects") == {"done"}, "every handler to be done")
        orders = self._counted("SELECT status, count(*) FROM orders GROUP BY status")
        _expect(orders == {"paid": 2, "pending": 3, "refunded": 1}, f"the ledger says {orders}")
        charges = self._stage.client.v1.charges.list({"limit": 100}).data
        taken = sum(charge.amount - charge.amount_refunded for charge in charges if charge.paid)
        _expect(taken == 2 * 1900, f"Stripe took {taken}")
        shelf = self._counted("SELECT state, count(*) FROM shelf GROUP BY state")
        _expect(shelf == {"yours": 2, "returned": 1}, f"the shelf says {shelf}")
        return Step("the books are compared", "6 orders: 2 paid, 1 refunded, 3 never paid; Stripe says the same")

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
        _expect("Confirm it is you" in challenge.text, f"no bank asked: {challenge.text!r}")
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

    def _count(self, query: str) -> int:
        with self._db.connect() as connection:
            return int(connection.execute(text(query)).scalar_one())

    def _counted(self, query: str) -> dict[str, int]:
        with self._db.connect() as connection:
            return {row[0]: row[1] for row in connection.execute(text(query))}

    def _states(self, table: str) -> set[str]:
        return set(self._counted(f"SELECT state, count(*) FROM {table} GROUP BY state"))  # noqa: S608 - our own table

    def _event(self, kind: str, subject: object) -> str:
        for event in self._stage.client.v1.events.list({"type": kind, "limit": 100}).data:
            if event.data.to_dict()["object"]["id"] == subject:
                return event.id
        raise WentWrong(f"there is no event {kind} about {subject}")

    def _answered(self, event: str) -> int:
        """How often an event was delivered and answered."""
        shown = self._control("GET", f"/_local/events/{event}/deliveries")
        return sum(len(delivery["attempts"]) for delivery in shown["deliveries"])

    def _control(self, method: str, path: str, body: object = None) -> dict[str, list[dict[str, list[object]]]]:
        answer = httpx2.request(
            method, self._stage.stripe_url + path, json=body, headers={"Authorization": f"Bearer {self._stage.key}"}
        )
        _expect(answer.status_code == 200, f"{method} {path} answered {answer.text}")
        shown: dict[str, list[dict[str, list[object]]]] = answer.json()
        return shown

    def _wait(self, seen: Callable[[], bool], what: str) -> None:
        """Until it is seen; webhooks arrive when they arrive."""
        until = time.monotonic() + PATIENCE_SECONDS
        while not seen():
            if time.monotonic() > until:
                raise WentWrong(f"waited {PATIENCE_SECONDS:.0f} seconds for {what}")
            time.sleep(0.02)


def _expect(is_so: bool, otherwise: str) -> None:
    if not is_so:
        raise WentWrong(otherwise)
