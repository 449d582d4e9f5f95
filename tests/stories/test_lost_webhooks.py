"""Webhooks that are lost on the way: the shop's owner fetches what they told, and customers have what they paid for."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from tests.billing.paying import pay
from tests.waiting import until

if TYPE_CHECKING:
    from tests.flarex import Flarex


def test_what_was_paid_while_every_webhook_was_lost_is_delivered_once(flarex: Flarex) -> None:
    """The customer closes the browser on the payment page, and Stripe's webhooks all go astray."""
    flarex.controls.post("/faults", fault="drop", rate=1.0)
    person = flarex.visitor()
    hosted = flarex.chooses(person)
    pay(hosted.url)
    flarex.controls.settle()
    lost = flarex.order_of(person)["status"]
    flarex.controls.delete("/faults")

    ended = [
        subprocess.run(
            [sys.executable, "-m", "paydesk", "sync"],
            cwd=flarex.folder,
            env=flarex.environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        for _ in range(2)
    ]
    until(lambda: flarex.has(person), "the order to be delivered")
    flarex.settle()

    assert lost == "pending"
    assert [(each.returncode, each.stderr) for each in ended] == [(0, "")] * 2
    assert "had never arrived" in ended[0].stdout
    assert flarex.order_of(person)["status"] == "paid"
    assert flarex.shelf_of(person.name) == ["yours"]
