"""What is asked in the background never takes more than its share of what Stripe allows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest
from pydantic import SecretStr
from sqlalchemy import update

from paydesk import Paydesk
from paydesk.billing.stripe_api import BACKGROUND_BURST, BACKGROUND_PER_SECOND, StripeApi
from paydesk.billing.truth.kinds import NAMES

if TYPE_CHECKING:
    import stripe

    from tests.billing.owner import Owner
    from tests.billing.till import Till
    from tests.billing.wire import Wire


@pytest.mark.parametrize("verb", ["sync", "verify"])
def test_neither_asks_more_than_its_share(
    till: Till, client: stripe.StripeClient, wire: Wire, verb: Literal["sync", "verify"]
) -> None:
    """Time passes only where it waits for its turn. Every single request is counted, those of applying too."""
    passed = [0.0]

    def sleep(seconds: float) -> None:
        passed[0] += seconds

    key = SecretStr(till.settings.stripe_secret_key.get_secret_value())
    api = StripeApi(key, wire.url, sleep=sleep, now_seconds=lambda: passed[0])
    desk = Paydesk(till.settings, catalog=till.desk.catalog, stripe_api=api, now=till.clock)
    for number in range(40):
        client.v1.customers.create({"email": f"{number}@example.com"})
    till.desk.sync()
    with till.desk.store.write() as connection:
        connection.execute(update(till.desk.store.tables.customers).values(email="nobody@example.com"))
    wire.calls.clear()

    desk.sync() if verb == "sync" else desk.verify()
    desk.close()

    assert len(wire.calls) >= 50
    assert passed[0] >= (len(wire.calls) - BACKGROUND_BURST) / BACKGROUND_PER_SECOND - 1e-6


def test_both_say_how_far_they_have_come(till: Till, client: stripe.StripeClient) -> None:
    """Table by table, with how many were looked at, for whoever watches."""
    client.v1.customers.create({"email": "ada@example.com"})
    walked: list[tuple[str, str, int]] = []
    looked: list[tuple[str, int, bool]] = []

    till.desk.sync(on_step=lambda walk: walked.append((walk.name, walk.state, walk.looked_at)))
    till.desk.verify(on_step=lambda name, looked_at, _, is_done: looked.append((name, looked_at, is_done)))

    assert [name for name, state, _ in walked if state == "idle"] == list(NAMES)
    assert walked[0][0] == "events"
    assert ("customers", "idle", 1) in walked
    assert [name for name, _, is_done in looked if is_done] == list(NAMES)
    assert ("customers", 1, True) in looked


def test_a_person_at_a_terminal_sees_it(owner: Owner, client: stripe.StripeClient) -> None:
    """And a pipe gets none of it."""
    client.v1.customers.create({"email": "ada@example.com"})

    shown = owner.watches("sync")

    assert "customers" in shown
    assert "looked at" in shown
