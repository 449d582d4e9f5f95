"""The network between Stripe and the app: every delivery may come twice, late, bent, out of order, or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import stripe

from paydesk.emulator.deliveries import attempts
from paydesk.emulator.deliveries.attempts import Delivery, Outcome
from paydesk.errors import PaydeskError
from tests.sim.baton import Crash

if TYPE_CHECKING:
    from tests.sim.machine import AppProcess
    from tests.sim.universe import Universe

_WAITING = "FROM deliveries WHERE state = 'waiting'"


class Network:
    """Takes what the local Stripe wants delivered to whichever machine is up."""

    def __init__(self, universe: Universe) -> None:
        self._universe = universe
        self._db = universe.kernel.store.db
        self._resent: set[int] = set()
        # Events that Stripe believes were delivered, and nobody here has seen.
        self.swallowed: set[str] = set()

    def deliver_one(self) -> None:
        """Let one delivery that is due begin: any of them, the newest as likely as all others."""
        universe = self._universe
        random, due = universe.chance.random, self._due()
        if due:
            self._send(due[-1] if random.random() < 0.5 else random.choice(due), universe.any_machine())

    def deliver_all(self) -> None:
        """Deliver all that is due, in order."""
        universe = self._universe
        # Whoever was to take it died before it got there.
        self._db.execute("UPDATE deliveries SET state = 'waiting' WHERE state = 'sending'")
        if not universe.is_swept:
            self._resend()
        for seq in self._due():
            actor = self._send(seq, universe.machines[0])
            while actor is not None and not actor.is_over:
                universe.baton.move(actor)

    def _resend(self) -> None:
        """As somebody would by hand, once."""
        ended = self._db.execute(
            "SELECT seq, event, state FROM deliveries WHERE state IN ('failed', 'lost', 'delivered')"
        )
        for seq, event, state in ended.fetchall():
            if (state != "delivered" or event in self.swallowed) and seq not in self._resent:
                self._resent.add(seq)
                self._db.execute("UPDATE deliveries SET state = 'waiting', attempts = 0, due = 0 WHERE seq = ?", (seq,))

    def next_due(self) -> float | None:
        """When the next delivery is due; None when none waits."""
        (due,) = self._db.execute(f"SELECT min(due) {_WAITING}").fetchone()
        return None if due is None else float(due)

    def _due(self) -> list[int]:
        rows = self._db.execute(f"SELECT seq {_WAITING} AND due <= ? ORDER BY seq", (int(self._universe.now),))
        return [seq for (seq,) in rows]

    def _send(self, seq: int, machine: AppProcess | None) -> Any:
        universe = self._universe
        delivery = Delivery(
            *self._db.execute(
                "UPDATE deliveries SET state = 'sending' WHERE seq = ? "
                "RETURNING seq, sandbox, event, endpoint, attempts, is_corrupt",
                (seq,),
            ).fetchone()
        )
        universe.kernel.store.commit()
        event = universe.kernel.within(
            universe.kernel.sandboxes.numbered(delivery.sandbox), lambda world: dict(world.get("event", delivery.event))
        )
        body = json.dumps(event, indent=2).encode()
        name = f"post {event['type']}"
        if machine is None or universe.chance.strikes("delivery_lost"):
            universe.note(f"!! {name} meets nobody")
            self._record(delivery, Outcome(None, "nobody was there", 0))
            return None
        if universe.chance.strikes("delivery_swallowed"):
            universe.note(f"!! {name} is taken, and lost")
            self.swallowed.add(delivery.event)
            self._record(delivery, Outcome(200, "", 0))
            return None
        if universe.chance.strikes("delivery_twice"):
            universe.note(f"!! {name} comes twice")
            universe.begin(f"{name} again", lambda: self._post(machine, body), machine)
        return universe.begin(name, self._posting(machine, delivery, body), machine)

    def _posting(self, machine: AppProcess, delivery: Delivery, body: bytes) -> Callable[[], None]:
        def post() -> None:
            status = None
            try:
                status = self._post(machine, body)
                if self._universe.strikes("answer_lost", "a webhook"):
                    status = None
            finally:
                self._record(delivery, Outcome(status, "", 0))

        return post

    def _post(self, machine: AppProcess, body: bytes) -> int:
        universe = self._universe
        header = stripe.WebhookSignature.generate_signature_header(
            body.decode(), universe.secret, timestamp=int(universe.now)
        )
        is_bent = universe.strikes("delivery_bent", "a webhook")
        if is_bent:
            body = body.replace(b"evt_", b"evt-", 1)
        universe.baton.pause()
        try:
            receipt = machine.desk.receive(body, header)
        except PaydeskError as refusal:
            # Bent, or so late that nobody can tell it from one that somebody kept back.
            universe.note(f"refused: {type(refusal).__name__}")
            return 400
        except Crash:
            raise
        except Exception as error:
            universe.note(f"not kept: {type(error).__name__}")
            return 500
        universe.note(f"kept on {machine.name}{' already' if receipt.is_duplicate else ''}: {receipt.event_id}")
        assert not is_bent, "A bent webhook was taken for a good one."
        universe.maybe_crash(machine, "after keeping a webhook")
        universe.baton.pause()
        return 200

    def _record(self, delivery: Delivery, outcome: Outcome) -> None:
        kernel = self._universe.kernel
        sandbox = kernel.sandboxes.numbered(delivery.sandbox)
        kernel.within(sandbox, lambda world: attempts.record(world, delivery, outcome))
