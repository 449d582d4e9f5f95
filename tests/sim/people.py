"""People: they buy, click twice, pay with all kinds of cards, look whether it worked, want their money back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from sqlalchemy import select

from paydesk import User
from paydesk.emulator.kernel.messages import Request
from paydesk.errors import PaydeskError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sim.machine import AppProcess
    from tests.sim.universe import Universe

CARDS = (
    "pm_card_visa",
    "pm_card_visa",
    "pm_card_visa",
    "pm_card_visa_chargeDeclined",
    "pm_card_visa_chargeDeclinedInsufficientFunds",
    "pm_card_createDispute",
)
WISHES = 4
DEEDS = (
    *("buy", "pay", "look") * 2,
    "pay",
    "refund",
    "refund elsewhere",
    *("subscribe", "sign up", "sign up"),
    *("swap", "cancel", "resume", "leave elsewhere"),
)


@dataclass(frozen=True)
class Known:
    """An order, as whoever ordered it knows it."""

    id: str
    session: str | None
    status: str


class Person:
    """Somebody with a few wishes."""

    def __init__(self, name: str, universe: Universe) -> None:
        self.name = name
        self.user = User(id=name, email=f"{name}@example.com")
        self._universe = universe
        self._wishes = WISHES

    @property
    def is_content(self) -> bool:
        """Nothing is left to wish for."""
        return self._wishes == 0

    def act(self) -> None:
        """Do one thing: something new, or something about what was bought before."""
        universe = self._universe
        random, machine = universe.chance.random, universe.any_machine()
        if machine is None:
            return
        orders = self._orders(machine)
        pending = [order for order in orders if order.status == "pending" and order.session is not None]
        paid = [order for order in orders if order.status == "paid"]
        match random.choice(DEEDS):
            case "buy" if self._wishes:
                self._wishes -= 1
                sku = random.choice(("ebook", "mug"))
                for _ in range(random.choice((1, 1, 2))):
                    self._ask(machine, f"buys {sku}", lambda: machine.desk.checkout(sku, user=self.user))
            case "pay" if pending:
                self._pay(random.choice(pending), random.choice(CARDS))
            case "look" if pending or paid:
                order = random.choice(pending or paid)
                self._ask(machine, f"looks at {order.id}", lambda: machine.desk.look_up(str(order.session)))
            case "refund" if paid:
                order = random.choice(paid)
                part = random.choice((None, 300))
                self._ask(machine, f"refunds {order.id}", lambda: machine.desk.refund(order.id, amount_minor=part))
            case "refund elsewhere" if paid and random.random() < 0.3:
                self._refund_by_hand(random.choice(paid), machine)
            case "subscribe" if self._wishes:
                self._wishes -= 1
                plan = random.choice(("starter", "pro"))
                for _ in range(random.choice((1, 1, 2))):
                    self._ask(machine, f"subscribes to {plan}", lambda: machine.desk.subscribe(plan, user=self.user))
            case "sign up":
                self._sign_up(machine, random.choice(CARDS))
            case "swap" | "cancel" | "resume" as verb:
                plan = random.choice(("starter", "pro"))
                self._ask(machine, verb, lambda: self._change(machine, verb, plan))
            case "leave elsewhere" if random.random() < 0.1:
                self._leave_by_hand(machine)

    def _change(self, machine: AppProcess, verb: str, plan: str) -> None:
        held = machine.desk.subscription(self.user)
        if held is None or not held.is_live:
            return
        match verb:
            case "swap":
                held.swap(plan, prorate="now")
            case "cancel":
                held.cancel()
            case "resume":
                held.resume()

    def _sign_up(self, machine: AppProcess, card: str) -> None:
        """Pay for a plan on the hosted page, on any page that was ever opened."""
        signups = machine.desk.store.tables.signups
        with machine.desk.store.read() as connection:
            mine = select(signups.c.session_id).where(signups.c.user_id == self.user.id)
            sessions = connection.scalars(mine.where(signups.c.session_id.is_not(None)).order_by(signups.c.created_at))
            opened = [str(session) for session in sessions]
        if opened:
            page = self._universe.chance.random.choice(opened)
            status = self._stripe(
                "POST", f"/v1/payment_pages/{page}/confirm", payment_method=card, email=self.user.email
            )
            self._universe.note(f"{self.name} signs up with {card} -> {status}")

    def _leave_by_hand(self, machine: AppProcess) -> None:
        """The seller ends a subscription in Stripe's own dashboard."""
        held = machine.desk.subscription(self.user)
        if held is not None and held.is_live:
            status = self._stripe("DELETE", f"/v1/subscriptions/{held.id}")
            self._universe.note(f"the seller ends {held.id} -> {status}")

    def _ask(self, machine: AppProcess, what: str, work: Callable[[], object]) -> None:
        """Ask the app for something. It may refuse, or fail: then somebody may try again, or not."""
        universe = self._universe

        def asked() -> None:
            universe.note(f"{self.name} {what}")
            try:
                work()
            except PaydeskError as error:
                universe.note(f"{self.name} {what}: {type(error).__name__}")
            except Exception as error:  # a database that failed is a page that says so
                universe.note(f"{self.name} {what}: {type(error).__name__}")

        universe.begin(f"{self.name} at {machine.name}", asked, machine)

    def _pay(self, order: Known, card: str) -> None:
        """Pay on the hosted page: that is between the person and Stripe."""
        page = f"/v1/payment_pages/{order.session}/confirm"
        status = self._stripe("POST", page, payment_method=card, email=self.user.email)
        self._universe.note(f"{self.name} pays {order.id} with {card} -> {status}")

    def _refund_by_hand(self, order: Known, machine: AppProcess) -> None:
        """The seller gives money back in Stripe's own dashboard."""
        orders = machine.desk.store.tables.orders
        with machine.desk.store.read() as connection:
            intent = connection.scalar(select(orders.c.payment_intent_id).where(orders.c.id == order.id))
        if intent is not None:
            status = self._stripe("POST", "/v1/refunds", payment_intent=intent, amount="200")
            self._universe.note(f"the seller gives 200 of {order.id} back by hand -> {status}")

    def _stripe(self, method: str, path: str, **fields: str | None) -> int:
        universe = self._universe
        headers = {"authorization": f"Bearer {universe.key}"}
        sent = {name: value for name, value in fields.items() if value is not None}
        answered = universe.kernel.answer(Request(method, path, "", headers, urlencode(sent).encode()))
        if answered.status not in (200, 400, 402, 404):
            raise AssertionError(f"{path}: {answered.status} {json.loads(answered.body)}")
        return answered.status

    def _orders(self, machine: AppProcess) -> list[Known]:
        orders = machine.desk.store.tables.orders
        mine = select(orders.c.id, orders.c.session_id, orders.c.status).where(orders.c.user_id == self.user.id)
        with machine.desk.store.read() as connection:
            return [Known(*row) for row in connection.execute(mine.order_by(orders.c.created_at, orders.c.session_id))]
