"""What is asked in the background never takes more than its share of what Stripe allows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import SecretStr

from paydesk import Paydesk
from paydesk.billing.stripe_api import BACKGROUND_BURST, BACKGROUND_PER_SECOND, StripeApi

if TYPE_CHECKING:
    import stripe

    from tests.billing.till import Till
    from tests.billing.wire import Wire


def test_a_sync_never_asks_more_than_its_share(till: Till, client: stripe.StripeClient, wire: Wire) -> None:
    """Time passes only where it waits for its turn. Every single request is counted, those of applying too."""
    passed = [0.0]

    def sleep(seconds: float) -> None:
        passed[0] += seconds

    key = SecretStr(till.settings.stripe_secret_key.get_secret_value())
    api = StripeApi(key, wire.url, sleep=sleep, now_seconds=lambda: passed[0])
    desk = Paydesk(till.settings, catalog=till.desk.catalog, stripe_api=api, now=till.clock)
    till.desk.sync()
    for number in range(40):
        client.v1.customers.create({"email": f"{number}@example.com"})
    wire.calls.clear()

    desk.sync()
    desk.close()

    assert len(wire.calls) > 50
    assert passed[0] >= (len(wire.calls) - BACKGROUND_BURST) / BACKGROUND_PER_SECOND - 1e-6
