"""The round trip: values of every shape, through the official encoder and back."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stripe._encode import _api_encode

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
from paydesk.emulator.kernel.form import decode
from tests.emulator.kernel.contract.urls import CUSTOMERS, INTENTS, PRICES, PRODUCTS, SESSIONS, operation


def values_of(shape: Shape) -> st.SearchStrategy[Any]:
    words = st.text(min_size=1, max_size=8)
    match shape:
        case Text() | Anything():
            return words
        case Integer():
            return st.integers(-(10**18) + 1, 10**18 - 1)
        case Boolean():
            return st.booleans()
        case Number():
            return st.integers(-(10**6), 10**6).map(lambda thousandths: thousandths / 1000)
        case Decimal():
            return st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=0, max_value=10**9).map(
                lambda value: format(value, "f")
            )
        case Choice():
            return st.sampled_from(shape.values)
        case Metadata():
            keys = words.filter(lambda key: not set(key) & {"[", "]"})
            return st.dictionaries(keys, words, min_size=1, max_size=3)
        case Array():
            return st.lists(values_of(shape.item), min_size=1, max_size=min(shape.items_max or 12, 12))
        case Map():
            return st.dictionaries(st.sampled_from(["usd", "eur", "jpy"]), values_of(shape.item), min_size=1)
        case Either():
            groups = [] if shape.group is None else [values_of(shape.group)]
            return st.one_of(*groups, *(values_of(scalar) for scalar in shape.scalars))
        case Unsettable():
            return values_of(shape.shape)
        case Object():
            return objects_of(shape)


def objects_of(shape: Object) -> st.SearchStrategy[dict[str, Any]]:
    required = {name: values_of(shape.fields[name]) for name in sorted(shape.required)}

    @st.composite
    def some(draw: st.DrawFn) -> dict[str, Any]:
        values = {name: draw(strategy) for name, strategy in required.items()}
        names = [name for name, field in shape.fields.items() if name not in required and can_be_sent(field)]
        if names:
            chosen = draw(st.lists(st.sampled_from(names), unique=True, min_size=0 if values else 1, max_size=3))
            values |= {name: draw(values_of(shape.fields[name])) for name in chosen}
        return values

    return some()


def can_be_sent(shape: Shape) -> bool:
    """An empty group cannot be told from nothing on the wire."""
    match shape:
        case Unsettable():
            return can_be_sent(shape.shape)
        case Array() | Map():
            return can_be_sent(shape.item)
        case Choice():
            return bool(shape.values)
        case Object():
            return any(can_be_sent(field) for field in shape.fields.values())
    return True


@pytest.mark.parametrize("url", [CUSTOMERS, PRODUCTS, PRICES, SESSIONS, INTENTS, ("POST", "/v1/refunds")])
@given(data=st.data())
def test_what_the_official_client_sends_is_understood_whole(url: tuple[str, str], data: st.DataObject) -> None:
    """Any parameters the SDK's types allow, encoded by the SDK, come out typed as they went in."""
    known = operation(url)
    params = data.draw(objects_of(known.params))
    body = urlencode(list(_api_encode(params)))

    assert contract.check(known, decode(body)) == params
