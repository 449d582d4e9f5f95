"""People: they buy, click twice, pay with all kinds of cards, look whether it worked, want their money back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from paydesk import User
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


@dataclass(frozen=True)
class Known:
    """An order, as whoever ordered it knows it."""

    id: str
    session: str | None
    status: str


class Person:
    """Somebody with a few wishes."""

    def __init__(self, name: str, universe: Universe, *, wishes: int, deeds: int) -> None:
        """`wishes`: how often something is bought; `deeds`: how much is done in all."""
        self.name = name
        self.user = User(id=name, email=f"{name}@example.com")
        self._universe = universe
        self._wishes = wishes
        self._deeds = deeds
        # How often somebody waits who can do nothing at the moment.
        self._patience = 50

    @property
    def is_content(self) -> bool:
        """Everything was done that there was time for."""
        return self._deeds == 0 or self._patience == 0

    def act(self) -> None:
        """Do one thing: something new, or something about what was bought before."""
        universe = self._universe
        random, machine = universe.chance.random, universe.any_machine()
        if machine is None:
            return
        orders = self._orders()
        pending = [order for order in orders if order.status == "pending" and order.session is not None]
        paid = [order for order in orders if order.status == "paid"]
        possible = [
            *("buy", "buy", "subscribe") * bool(self._wishes),
            *("pay", "pay", "pay", "look") * bool(pending),
            *("refund", "look") * bool(paid),
            *("sign up", "sign up") * bool(self._pages()),
            *("swap", "seats", "pause", "cancel", "resume", "leave") * self._has_subscribed(),
        ]
        if not possible or self.is_content:
            self._patience = max(0, self._patience - 1)
            return
        self._deeds -= 1
        deed = random.choice(possible)
        match deed:
            case "buy":
                self._wishes -= 1
                sku = random.choice(("ebook", "mug"))
                for _ in range(random.choice((1, 1, 2))):
                    self._ask(machine, f"buys {sku}", lambda: machine.desk.checkout(sku, user=self.user))
            case "subscribe":
                self._wishes -= 1
                plan = random.choice(("starter", "pro"))
                for _ in range(random.choice((1, 1, 2))):
                    self._ask(machine, f"subscribes to {plan}", lambda: machine.desk.subscribe(plan, user=self.user))
            case "pay":
                self._confirm(str(random.choice(pending).session), random.choice(CARDS))
            case "look":
                order = random.choice(pending or paid)
                self._ask(machine, f"looks at {order.id}", lambda: machine.desk.look_up(str(order.session)))
            case "refund":
                order, part = random.choice(paid), random.choice((None, 300))
                self._ask(machine, f"refunds {order.id}", lambda: machine.desk.refund(order.id, amount_minor=part))
            case "sign up":
                self._confirm(random.choice(self._pages()), random.choice(CARDS))
            case "swap" | "seats" | "pause" | "cancel" | "resume" | "leave":
                plan, seats = random.choice(("starter", "pro")), random.choice((1, 2, 3))
                self._ask(machine, f"wants to {deed}", lambda: self._change(machine, deed, plan, seats))

    def _change(self, machine: AppProcess, deed: str, plan: str, seats: int) -> None:
        held = machine.desk.subscription(self.user)
        if held is None or not held.is_live:
            return
        match deed:
            case "swap":
                held.swap(plan, prorate="now")
            case "seats":
                held.set_seats(seats)
            case "pause":
                held.pause()
            case "cancel":
                held.cancel()
            case "resume":
                held.resume()
            case "leave":
                held.cancel(at_once=True)

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

    def _confirm(self, session: str, card: str) -> None:
        """Pay on a hosted page, on any that was ever opened: that is between the person and Stripe."""
        status = self._universe.line.pay(session, card, str(self.user.email))
        self._universe.note(f"{self.name} pays {session} with {card} -> {status}")

    def _pages(self) -> list[str]:
        mine = "SELECT session_id FROM signups WHERE user_id = ? ORDER BY created_at, session_id"
        return [session for (session,) in self._universe.outside.rows(mine, self.name) if session is not None]

    def _has_subscribed(self) -> bool:
        live = "SELECT 1 FROM subscriptions WHERE user_id = ? AND status IN ('active', 'past_due') LIMIT 1"
        return bool(self._universe.outside.rows(live, self.name))

    def _orders(self) -> list[Known]:
        mine = "SELECT id, session_id, status FROM orders WHERE user_id = ? ORDER BY created_at, session_id"
        return [Known(*row) for row in self._universe.outside.rows(mine, self.name)]
