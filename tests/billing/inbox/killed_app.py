"""The app that is killed in test_kill.py: as its author would write it, and a way to receive under load."""

from __future__ import annotations

import itertools
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import Column, MetaData, Table, Text

from paydesk import OrderPaid, Paydesk
from tests.billing.inbox.deliveries import event, sign

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

shelf = Table("shelf", MetaData(), Column("order_id", Text))


def deliver(paid: OrderPaid, db: Session) -> None:
    db.execute(shelf.insert().values(order_id=paid.order.id))


def open_desk() -> Paydesk:
    desk = Paydesk()
    desk.on(OrderPaid)(deliver)
    return desk


def receive_for_ever() -> None:
    """Sixteen deliveries at a time; the id of each is printed once it was acknowledged."""
    desk = open_desk()

    def receive(number: int) -> str:
        body = event("balance.available", {"object": "balance"}, event_id=f"evt_{number}")
        return desk.receive(body, sign(body, datetime.now(UTC))).event_id

    with ThreadPoolExecutor(16) as pool:
        numbers = itertools.count()
        while True:
            for event_id in pool.map(receive, itertools.islice(numbers, 64)):
                sys.stdout.write(f"{event_id}\n")
                sys.stdout.flush()


if __name__ == "__main__":
    receive_for_ever()
elif __name__ == "killed_app":
    desk = open_desk()
