"""Who watches the story: reads the shop's database, asks the local Stripe, and waits until something is so."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx2
from sqlalchemy import text

if TYPE_CHECKING:
    from paydesk.cli.demo.stage import Stage

# A webhook and its handlers take milliseconds; a machine that is busy with other things gets this long.
PATIENCE_SECONDS = 30.0


class WentWrong(Exception):
    """The story saw something it should not have seen."""


@dataclass(frozen=True)
class Step:
    """What was done, and what the app knew afterwards."""

    did: str
    saw: str


def expect(is_so: bool, otherwise: str) -> None:
    """Raises WentWrong, with the words that say what is so instead."""
    if not is_so:
        raise WentWrong(otherwise)


class Witness:
    """Sees both sides: what the shop wrote down, and what Stripe has."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._db = stage.desk.store.engine

    def count(self, query: str) -> int:
        """The number that a query answers."""
        with self._db.connect() as connection:
            return int(connection.execute(text(query)).scalar_one())

    def counted(self, query: str) -> dict[str, int]:
        """The rows of a query, which are names with numbers."""
        with self._db.connect() as connection:
            return {row[0]: row[1] for row in connection.execute(text(query))}

    def states(self, table: str) -> set[str]:
        """The states that occur in a table."""
        return set(self.counted(f"SELECT state, count(*) FROM {table} GROUP BY state"))  # noqa: S608 - our own table

    def settle(self) -> None:
        """Wait until nothing is left to do: the last events may still be on their way through the shop's own worker."""
        self._stage.desk.work()
        self.wait(lambda: self.states("events") == {"applied"}, "every event to be applied")
        self.wait(lambda: self.states("effects") == {"done"}, "every handler to be done")

    def event(self, kind: str, subject: object) -> str:
        """The event of this kind about that object."""
        for event in self._stage.client.v1.events.list({"type": kind, "limit": 100}).data:
            if event.data.to_dict()["object"]["id"] == subject:
                return event.id
        raise WentWrong(f"there is no event {kind} about {subject}")

    def answered(self, event: str) -> int:
        """How often an event was delivered and answered."""
        shown = self.control("GET", f"/_local/events/{event}/deliveries")
        return sum(len(delivery["attempts"]) for delivery in shown["deliveries"])

    def control(self, method: str, path: str, body: object = None) -> dict[str, list[dict[str, list[object]]]]:
        """Ask one of the local Stripe's controls."""
        answer = httpx2.request(
            method,
            self._stage.stripe_url + path,
            json=body,
            headers={"Authorization": f"Bearer {self._stage.key}"},
            timeout=PATIENCE_SECONDS,
        )
        expect(answer.status_code == 200, f"{method} {path} answered {answer.text}")
        shown: dict[str, list[dict[str, list[object]]]] = answer.json()
        return shown

    def wait(self, seen: Callable[[], bool], what: str) -> None:
        """Until it is seen; webhooks arrive when they arrive. Raises WentWrong."""
        until = time.monotonic() + PATIENCE_SECONDS
        while not seen():
            if time.monotonic() > until:
                raise WentWrong(f"waited {PATIENCE_SECONDS:.0f} seconds for {what}")
            time.sleep(0.02)
