"""The quick checks say of everything what jsonschema says of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.schema import quick, validator

if TYPE_CHECKING:
    from collections.abc import Iterator

    import stripe

STRANGE: tuple[Any, ...] = (None, True, 1.0, 1.5, "x" * 6000, [None], {"id": 1})


def bent(value: Any) -> Iterator[Any]:
    """The value with something strange in one place, or something missing from it: one of each for every place."""
    yield from STRANGE
    if isinstance(value, dict):
        for name in value:
            yield {other: inner for other, inner in value.items() if other != name}
            yield from ({**value, name: inner} for inner in bent(value[name]))
    elif isinstance(value, list):
        for place in range(len(value)):
            yield from ([*value[:place], inner, *value[place + 1 :]] for inner in bent(value[place]))


def test_the_quick_checks_agree_with_jsonschema(client: stripe.StripeClient) -> None:
    """On real answers, and on each of them bent in every place there is."""
    customer = client.v1.customers.create({"metadata": {"plan": "pro"}, "address": {"city": "London"}})
    charge = client.v1.charges.create({"amount": 500, "currency": "usd", "source": "tok_visa"})
    refund = client.v1.refunds.create({"charge": charge.id})
    seen = set()

    for answer in (customer, refund):
        shown: dict[str, Any] = json.loads(str(answer))
        says = validator(shown["object"])
        for value in (shown, *bent(shown)):
            assert quick().holds(shown["object"], value) == says.is_valid(value), value
            seen.add(says.is_valid(value))

    assert seen == {True, False}
