"""The URLs whose contract the tests look at, and how a request to one is read or refused."""

from __future__ import annotations

from typing import Any

import pytest

from paydesk.emulator.kernel import contract
from paydesk.emulator.kernel.errors import StripeError
from paydesk.emulator.kernel.form import decode

CUSTOMERS = ("POST", "/v1/customers")
PRICES = ("POST", "/v1/prices")
PRODUCTS = ("POST", "/v1/products")
SESSIONS = ("POST", "/v1/checkout/sessions")
INTENTS = ("POST", "/v1/payment_intents")
COUPONS = ("POST", "/v1/coupons")
SUBSCRIPTION = ("POST", "/v1/subscriptions/{subscription_exposed_id}")


def operation(url: tuple[str, str]) -> contract.Operation:
    known = contract.operation(*url)
    assert known is not None
    return known


def read(url: tuple[str, str], body: str) -> dict[str, Any]:
    return contract.check(operation(url), decode(body))


def refused(url: tuple[str, str], body: str) -> StripeError:
    with pytest.raises(StripeError) as raised:
        read(url, body)
    return raised.value
