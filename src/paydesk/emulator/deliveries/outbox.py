"""The outbox: an event and the deliveries it sets in motion, kept in the transaction that caused them.

What is committed is delivered, even if the server dies in between; what is rolled
back was never announced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World


@dataclass(frozen=True)
class Plan:
    """How an event is to reach an endpoint. Faults change plans; without them every plan is the default.

    `wait_seconds` are sandbox time. A held delivery waits no longer than until a later one was answered.
    """

    wait_seconds: int = 0
    is_lost: bool = False
    is_held: bool = False
    is_corrupt: bool = False


# What becomes of one delivery: usually one plan, with faults any number.
Bend = Callable[["World", str, "Document"], Iterable[Plan]]


def as_planned(world: World, event_type: str, endpoint: Document) -> Iterable[Plan]:
    """No faults: one delivery, now."""
    return (Plan(),)


class Outbox:
    """Writes deliveries. `has_news` is true when some were written since it was last set to false."""

    def __init__(self, bend: Bend = as_planned) -> None:
        self._bend = bend
        self.has_news = False

    def announce(self, world: World, event: Document) -> None:
        """Keep an event, and a delivery of it for each endpoint that asked for its type."""
        endpoints = listening(world, event["type"])
        event["pending_webhooks"] = len(endpoints)
        world.add(event)
        for endpoint in endpoints:
            for plan in self._bend(world, event["type"], endpoint):
                self._write(world, event.id, endpoint.id, plan)

    def resend(self, world: World, event: Document, endpoint: str | None = None) -> list[str]:
        """Deliver an event once more, to one endpoint or to all that listen now. Gives back the endpoints' ids."""
        if endpoint is not None:
            ids = [world.get("webhook_endpoint", endpoint, param="webhook_endpoint").id]
        else:
            ids = [found.id for found in listening(world, event["type"])]
        for identifier in ids:
            self._write(world, event.id, identifier, Plan())
        return ids

    def _write(self, world: World, event: str, endpoint: str, plan: Plan) -> None:
        world.db.execute(
            "INSERT INTO deliveries (sandbox, event, endpoint, state, due, is_held, is_corrupt) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                world.sandbox.number,
                event,
                endpoint,
                "lost" if plan.is_lost else "waiting",
                world.wall + plan.wait_seconds,
                plan.is_held,
                plan.is_corrupt,
            ),
        )
        self.has_news = True
        # Whoever listens for events hears of what is told once more, too.
        world.events += 1


def listening(world: World, event_type: str) -> list[Document]:
    """The enabled endpoints that asked for events of this type."""
    # Stripe leaves a few types out of `*` because they must be asked for by name; none of them happens here.
    return [
        endpoint
        for endpoint in world.having("webhook_endpoint", "status", "enabled")
        if "*" in endpoint["enabled_events"] or event_type in endpoint["enabled_events"]
    ]
