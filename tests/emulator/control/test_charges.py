"""Disputes on demand: a payer goes to their bank, whichever card they paid with."""

from __future__ import annotations

import pytest
import stripe

from tests.emulator.controls import Controls
from tests.emulator.invoicing import customer

DAY = 24 * 3600


def paid(client: stripe.StripeClient) -> stripe.PaymentIntent:
    return client.v1.payment_intents.create(
        {
            "amount": 1900,
            "currency": "usd",
            "customer": customer(client).id,
            "payment_method": "pm_card_visa",
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
            "confirm": True,
            "off_session": True,
        }
    )


@pytest.mark.parametrize("reason", ["fraudulent", "product_not_received"])
def test_a_good_card_is_disputed_weeks_later(client: stripe.StripeClient, controls: Controls, reason: str) -> None:
    """As by one of the cards that are disputed at once: the money leaves, and evidence is asked for."""
    intent = paid(client)
    controls.push(20 * DAY)

    opened = controls.post(f"/charges/{intent.latest_charge}/dispute", reason=reason)

    dispute = client.v1.disputes.retrieve(opened["id"])
    assert (dispute.reason, dispute.amount, dispute.status) == (reason, 1900, "needs_response")
    assert dispute.created == client.v1.customers.create().created
    types = [event.type for event in client.v1.events.list({"type": "charge.dispute.*"}).data]
    assert types == ["charge.dispute.funds_withdrawn", "charge.dispute.created"]


def test_only_money_that_is_there_is_disputed(client: stripe.StripeClient, controls: Controls) -> None:
    """Not twice, not after it all went back, and not for a reason that nobody has."""
    disputed, returned = paid(client), paid(client)
    controls.post(f"/charges/{disputed.latest_charge}/dispute")
    client.v1.refunds.create({"payment_intent": returned.id})

    refusals = [
        controls.ask("POST", f"/charges/{disputed.latest_charge}/dispute", {}),
        controls.ask("POST", f"/charges/{returned.latest_charge}/dispute", {}),
        controls.ask("POST", f"/charges/{paid(client).latest_charge}/dispute", {"reason": "regret"}),
        controls.ask("POST", "/charges/ch_nobody/dispute", {}),
    ]

    assert [refused.status_code for refused in refusals] == [400, 400, 400, 404]
