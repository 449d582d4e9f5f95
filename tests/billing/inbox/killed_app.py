"""The app that is killed in test_kill.py: as its author would write it, and a way to receive under load."""

from __future__ import annotations

import asyncio
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
    """From sixteen threads; the id of each event is printed once it was acknowledged."""
    desk = open_desk()
    with ThreadPoolExecutor(16) as pool:
        numbers = itertools.count()
        while True:
            batch = [delivery(number) for number in itertools.islice(numbers, 64)]
            for receipt in pool.map(lambda sent: desk.receive(*sent), batch):
                acknowledge(receipt.event_id)


async def receive_on_a_loop_for_ever() -> None:
    """The same from sixteen coroutines, as the web adapters receive."""
    desk = open_desk()
    numbers = itertools.count()

    async def receive() -> None:
        for number in numbers:
            acknowledge((await desk.receive_async(*delivery(number))).event_id)

    await asyncio.gather(*(receive() for _ in range(16)))


def delivery(number: int) -> tuple[bytes, str]:
    body = event("balance.available", {"object": "balance"}, event_id=f"evt_{number}")
    return body, sign(body, datetime.now(UTC))


def acknowledge(event_id: str) -> None:
    sys.stdout.write(f"{event_id}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    if sys.argv[1] == "threads":
        receive_for_ever()
    else:
        asyncio.run(receive_on_a_loop_for_ever())
elif __name__ == "killed_app":
    desk = open_desk()
