"""A process that is killed in the middle of a handler: nothing of it is kept, and the next one does all of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import update

from paydesk.django import desk
from paydesk.django.models import Effect
from tests.billing.paying import pay
from tests.django.deliveries import deliver_all
from tests.django.shelf.models import Copy

if TYPE_CHECKING:
    import stripe

ROOT = Path(__file__).parent.parent.parent


def test_a_handler_killed_after_its_write_has_written_nothing(
    database: dict[str, Any], secrets: dict[str, Any], client: stripe.StripeClient
) -> None:
    """kill -9 between a handler's write and its mark: the next process delivers, once."""
    desk.catalog.push(client)
    checkout = desk.checkout("ebook")
    pay(checkout.url)
    deliver_all(client, desk)

    hanging = start("hang", database, secrets)
    assert hanging.stdout is not None
    assert hanging.stdout.readline() == "written\n"
    hanging.kill()
    hanging.communicate()
    after_kill = list(Copy.objects.all()), states()
    time_passes()
    said, _ = start("work", database, secrets).communicate(timeout=60)

    assert after_kill == ([], ["waiting"])
    assert said == "written\n"
    assert [copy.order_id for copy in Copy.objects.all()] == [checkout.order.id]
    assert states() == ["done"]


def start(mode: str, database: dict[str, Any], secrets: dict[str, Any]) -> subprocess.Popen[str]:
    """A process of the project that works until nothing is left to do."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.django.killed_handler", mode],
        cwd=ROOT,
        env={**os.environ, **secrets, "TEST_DJANGO_DATABASE": json.dumps(database)},
        stdout=subprocess.PIPE,
        text=True,
    )


def states() -> list[str]:
    return [effect.state for effect in Effect.objects.all()]


def time_passes() -> None:
    """What the dead process had claimed is free again."""
    effects = desk.store.tables.effects
    with desk.store.write() as connection:
        connection.execute(update(effects).values(next_at=datetime.now(UTC)))
