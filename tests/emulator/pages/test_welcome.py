"""The page at the local Stripe's own address."""

from __future__ import annotations

import urllib.request

from tests.conftest import LocalStripe


def test_a_browser_at_the_address_is_told_what_this_is(local_stripe: LocalStripe) -> None:
    """Not a bare error: how to point an SDK here."""
    with urllib.request.urlopen(local_stripe.url) as answer:  # noqa: S310 - loopback
        page = answer.read().decode()

    assert "The local Stripe is running" in page
    assert local_stripe.url in page
