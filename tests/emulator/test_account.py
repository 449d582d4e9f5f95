"""The account: the business a key belongs to."""

from __future__ import annotations

import secrets

import pytest
import stripe

from tests.conftest import LocalStripe


def test_the_account_of_a_key_can_charge(client: stripe.StripeClient) -> None:
    """A new sandbox is a business in the United States that is ready to take money."""
    account = client.v1.accounts.retrieve_current()

    assert (account.country, account.default_currency) == ("US", "usd")
    assert (account.charges_enabled, account.payouts_enabled, account.details_submitted) == (True, True, True)
    assert client.v1.accounts.retrieve(account.id).to_dict() == account.to_dict()


def test_test_and_live_keys_of_a_name_share_their_account(local_stripe: LocalStripe, key: str) -> None:
    """Going live changes the mode and the objects, never the business."""
    rehearsal = local_stripe.client(key.replace("sk_test_", "sk_live_local_"))

    in_test = local_stripe.client(key).v1.accounts.retrieve_current()
    in_live = rehearsal.v1.accounts.retrieve_current()

    assert in_test.id == in_live.id


def test_another_account_is_not_this_keys_business(client: stripe.StripeClient) -> None:
    """A key reads its own account only."""
    with pytest.raises(stripe.PermissionError) as refused:
        client.v1.accounts.retrieve("acct_1SomebodyElse000")

    assert refused.value.http_status == 403
    assert refused.value.error is not None
    assert refused.value.error.code == "account_invalid"


def test_the_business_is_called_what_its_key_is_called(local_stripe: LocalStripe) -> None:
    """`sk_test_flarex_shop_…` is the shop's own: customers read its name on the payment page, written for people."""
    client = local_stripe.client(f"sk_test_flareX_shop_{secrets.token_hex(4)}")

    account = client.v1.accounts.retrieve_current()

    assert account.settings is not None
    assert str(account.settings.dashboard.display_name).startswith("FlareX shop ")
