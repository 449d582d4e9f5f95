"""What every endpoint of the local Stripe obeys: no parameters, however odd, break it.

They are made from the contract that the endpoint itself is held to, so a new endpoint is tested when it is there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from decimal import Decimal as Exact
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paydesk.emulator.kernel import contract
from paydesk.emulator.kernel.contract.shapes import (
    Anything,
    Array,
    Boolean,
    Choice,
    Decimal,
    Either,
    Integer,
    Map,
    Metadata,
    Number,
    Object,
    Shape,
    Text,
    Unsettable,
)
from paydesk.emulator.kernel.kernel import Kernel
from paydesk.emulator.kernel.messages import Answered, Request
from paydesk.emulator.kernel.store import Store
from paydesk.emulator.resources import RESOURCES
from tests.schema import check

ENDPOINTS = sorted(
    {(route.method, route.path) for resource in RESOURCES for route in resource.ROUTES if route.is_listed}
)
NOBODY = "nobody_1"
# Words that mean something somewhere, so that checks behind the first one are reached.
WORDS = (
    "usd",
    "eur",
    "jpy",
    "zzz",
    "card",
    "ada@example.com",
    "https://example.com/x",
    "x",
    "é ✓",
    "0",
    "pm_card_visa",
)


@dataclass
class Shop:
    """A sandbox in which one of everything was made."""

    kernel: Kernel = field(default_factory=lambda: Kernel(Store(None), RESOURCES))
    ids: dict[str, list[str]] = field(default_factory=dict)

    def ask(self, method: str, path: str, params: list[tuple[str, str]]) -> Answered:
        sent = urlencode(params)
        headers = {"authorization": "Bearer sk_test_contracts"}
        is_post = method == "POST"
        return self.kernel.answer(
            Request(method, path, "" if is_post else sent, headers, sent.encode() if is_post else b"")
        )

    def make(self, path: str, *params: tuple[str, str]) -> str:
        """An object's id, kept under the names that URLs and parameters have for it."""
        answered = self.ask("POST", path, list(params))
        made = json.loads(answered.body)
        assert answered.status == 200, made
        name = made["object"].rpartition(".")[2]
        self.ids.setdefault(name, []).append(made["id"])
        return str(made["id"])


@pytest.fixture(scope="module")
def shop() -> Shop:
    """A customer who paid once, and what they paid for."""
    shop = Shop()
    customer = shop.make("/v1/customers", ("payment_method", "pm_card_visa"), ("source", "tok_visa"))
    product = shop.make("/v1/products", ("name", "E-book"))
    price = shop.make("/v1/prices", ("currency", "usd"), ("unit_amount", "1900"), ("product", product))
    shop.make(
        "/v1/prices", ("currency", "usd"), ("unit_amount", "1"), ("product", product), ("recurring[interval]", "day")
    )
    shop.make("/v1/payment_methods", ("type", "card"), ("card[token]", "tok_visa"))
    shop.make(
        "/v1/checkout/sessions",
        ("mode", "payment"),
        ("success_url", "https://example.com"),
        ("line_items[0][price]", price),
        ("line_items[0][quantity]", "1"),
    )
    for _ in range(2):
        shop.make("/v1/payment_intents", ("currency", "usd"), ("amount", "1900"), ("customer", customer))
    charge = shop.make("/v1/charges", ("currency", "usd"), ("amount", "1900"), ("customer", customer))
    shop.make("/v1/refunds", ("charge", charge), ("amount", "100"))
    shop.make("/v1/billing_portal/configurations", ("features[invoice_history][enabled]", "true"))
    shop.make("/v1/tax_rates", ("display_name", "VAT"), ("percentage", "19"), ("inclusive", "true"))
    for ending in ("", "/finalize", "/pay", "/void"):
        draft = shop.make("/v1/invoices", ("customer", customer))
        for where in ([("invoice", draft)], []):
            shop.make("/v1/invoiceitems", ("customer", customer), ("amount", "500"), ("currency", "usd"), *where)
        if ending in ("/pay", "/void"):
            shop.make(f"/v1/invoices/{draft}/finalize")
        if ending:
            shop.make(f"/v1/invoices/{draft}{ending}")
    return shop


def values(shape: Shape, name: str, ids: list[str]) -> st.SearchStrategy[Any]:
    """Values of a shape: mostly ones it takes, sometimes an oddity."""
    match shape:
        case Text(length_max):
            longest = [] if length_max is None else ["y" * length_max]
            return st.sampled_from([*ids, *longest, *WORDS]) | st.text(max_size=8)
        case Integer():
            return st.sampled_from([-1, 0, 1, 50, 1900, 2000000000, 10**18 - 1]).map(str) | st.integers(0, 9999).map(
                str
            )
        case Boolean():
            return st.sampled_from(["true", "false"])
        case Number():
            return st.sampled_from(["0", "-1.5", "99999999999", "0.001"])
        case Decimal():
            return st.sampled_from(["0", "-1", "0.5", "1900.00", "1" * 18, "0." + "1" * 30]) | st.decimals(
                Exact(0), Exact(99999), places=3
            ).map(str)
        case Choice(words, _):
            return st.sampled_from([*words, *words, *words, "nonsense"])
        case Metadata():
            return st.dictionaries(st.sampled_from(["a", "b", "é"]), st.sampled_from(["1", "", "x" * 500]), max_size=2)
        case Anything():
            return st.sampled_from(WORDS)
        case Array(item, _):
            return st.lists(values(item, name, ids), min_size=1, max_size=2)
        case Map(item):
            return st.dictionaries(st.sampled_from(["usd", "EUR", "zzz"]), values(item, name, ids), max_size=2)
        case Object():
            return groups(shape, ids)
        case Either(group, scalars):
            of_group = [] if group is None else [groups(group, ids)]
            return st.one_of(*of_group, *(values(scalar, name, ids) for scalar in scalars))
        case Unsettable(inner):
            return values(inner, name, ids) | st.just("")


def groups(shape: Object, ids: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    """What is required, and a few of the rest."""
    known = {name: values(inner, name, ids) for name, inner in shape.fields.items()}
    required = {name: known.pop(name) for name in list(known) if name in shape.required}
    some = st.lists(st.sampled_from(sorted(known)), max_size=4, unique=True) if known else st.just([])
    return some.flatmap(lambda chosen: st.fixed_dictionaries(required | {name: known[name] for name in chosen}))


def flat(value: Any, prefix: str = "") -> list[tuple[str, str]]:
    """Nested parameters as a form writes them."""
    if isinstance(value, dict):
        pairs = value.items()
    elif isinstance(value, list):
        pairs = {str(index): inner for index, inner in enumerate(value)}.items()
    else:
        return [(prefix, value)]
    return [pair for name, inner in pairs for pair in flat(inner, f"{prefix}[{name}]" if prefix else name)]


@pytest.mark.parametrize(("method", "template"), ENDPOINTS)
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_parameters_break_an_endpoint(shop: Shop, method: str, template: str, data: st.DataObject) -> None:
    """An answer in Stripe's shape, or a 4xx that says what is wrong; and everything stays readable."""
    operation = contract.operation(method, template)
    assert operation is not None
    everything = [identifier for ids in shop.ids.values() for identifier in ids]
    path = "/".join(
        data.draw(st.sampled_from([*_of(shop, template, part), NOBODY])) if part.startswith("{") else part
        for part in template.split("/")
    )
    params = flat(data.draw(groups(operation.params, everything)))

    answered = shop.ask(method, path, params)

    value = json.loads(answered.body, parse_constant=_no_such_number)
    assert answered.status == 200 or 400 <= answered.status < 500, (path, params, value)
    check(value)


def _of(shop: Shop, template: str, part: str) -> list[str]:
    """Ids that fit a place in a URL: it is called after its object, or after nothing and stands behind its name."""
    name = part.strip("{}")
    if name not in shop.ids:
        name = template.split("/")[template.split("/").index(part) - 1].removesuffix("s")
    return shop.ids.get(name, [])


def _no_such_number(name: str) -> None:
    raise AssertionError(f"{name} is not JSON")
