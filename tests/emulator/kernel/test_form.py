"""Form bodies: whatever Stripe's own client sends is read back as it was meant."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from qs_codec import DecodeOptions
from qs_codec import decode as qs_decode
from stripe._encode import _api_encode

from paydesk.emulator.kernel.errors import StripeError
from paydesk.emulator.kernel.form import DEPTH_MAX, PAIRS_MAX, decode

# A name that is a number is told from a list only by the contract; brackets are what names cannot hold.
NAMES = st.text(min_size=1, max_size=12).filter(lambda name: not set(name) & {"[", "]"} and not name.isdecimal())
VALUES = st.recursive(
    st.text(max_size=20),
    lambda inner: (
        st.dictionaries(NAMES, inner, min_size=1, max_size=4)
        | st.lists(
            st.text(max_size=20) | st.dictionaries(NAMES, inner, min_size=1, max_size=4), min_size=1, max_size=25
        )
    ),
    max_leaves=12,
)
PARAMS = st.dictionaries(NAMES, VALUES, max_size=6)

# The oracle's own limits silently mis-read what Stripe's clients send.
ORACLE = DecodeOptions(depth=DEPTH_MAX, list_limit=PAIRS_MAX, parameter_limit=PAIRS_MAX)


def sdk_body(params: dict[str, Any]) -> str:
    return urlencode(list(_api_encode(params))).replace("%5B", "[").replace("%5D", "]")


def with_lists(value: Any) -> Any:
    """What the contract does where a list belongs; here every group of numbers is one."""
    if isinstance(value, list):
        return [with_lists(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value and all(name.isdecimal() for name in value):
        return [with_lists(item) for item in value.values()]
    return {name: with_lists(item) for name, item in value.items()}


@given(PARAMS)
def test_what_the_official_client_encodes_is_read_back_whole(params: dict[str, Any]) -> None:
    """Any nesting, any characters: nothing is lost, renamed or reordered."""
    body = sdk_body(params)

    read = decode(body)

    assert with_lists(read) == params
    assert list(read) == list(params)
    assert decode(body.encode()) == read
    assert decode(body.replace("[", "%5B").replace("]", "%5D")) == read


@given(PARAMS)
def test_an_independent_decoder_agrees(params: dict[str, Any]) -> None:
    """Our reading is not merely the inverse of one client: a second implementation reads the same."""
    body = sdk_body(params)

    assert with_lists(decode(body)) == with_lists(qs_decode(body, ORACLE))


@pytest.mark.parametrize(
    ("body", "params"),
    [
        ("", {}),
        ("&&", {}),
        ("email=ada%40example.com", {"email": "ada@example.com"}),
        ("name=Ada+Lovelace%2B1", {"name": "Ada Lovelace+1"}),
        ("name=Zo%C3%AB", {"name": "Zoë"}),
        ("name=Zoë", {"name": "Zoë"}),
        ("description=", {"description": ""}),
        ("description", {"description": ""}),
        ("query=a%3Db&x=a=b", {"query": "a=b", "x": "a=b"}),
        ("metadata=", {"metadata": ""}),
        ("metadata[order]=7&metadata[sku]=ebook", {"metadata": {"order": "7", "sku": "ebook"}}),
        ("metadata%5Border%5D=7", {"metadata": {"order": "7"}}),
        ("metadata[a+b]=7", {"metadata": {"a b": "7"}}),
        ("metadata[0]=x", {"metadata": {"0": "x"}}),
        ("expand[]=a&expand[]=b", {"expand": ["a", "b"]}),
        ("expand%5B%5D=a", {"expand": ["a"]}),
        ("expand[0]=a&expand[1]=b", {"expand": {"0": "a", "1": "b"}}),
        ("items[0][price]=p&items[0][quantity]=2", {"items": {"0": {"price": "p", "quantity": "2"}}}),
        (
            "items[][price]=p&items[][quantity]=2&items[][price]=q",
            {"items": [{"price": "p", "quantity": "2"}, {"price": "q"}]},
        ),
        (
            "items[][a][b]=1&items[][a][c]=2&items[][a][b]=3",
            {"items": [{"a": {"b": "1", "c": "2"}}, {"a": {"b": "3"}}]},
        ),
        ("a=1&a=2", {"a": "2"}),
        ("a[b]=1&a[b]=2", {"a": {"b": "2"}}),
        ("a[b=1", {"a[b": "1"}),
        ("a]=1", {"a]": "1"}),
        ("[a]=1", {"[a]": "1"}),
        ("a[b]c=1", {"a[b]c": "1"}),
        ("a[[b]]=1", {"a[[b]]": "1"}),
        ("=1", {"": "1"}),
    ],
)
def test_each_spelling_is_read_as_stripe_reads_it(body: str, params: dict[str, Any]) -> None:
    """Clients differ in how they write lists and brackets; all of them are understood."""
    assert decode(body) == params
    assert decode(body.encode()) == params


@pytest.mark.parametrize(
    ("body", "message", "param"),
    [
        (b"a=%zz", "Invalid encoding: the request is not valid form-encoded UTF-8.", None),
        (b"a=%4", "Invalid encoding: the request is not valid form-encoded UTF-8.", None),
        (b"%=1", "Invalid encoding: the request is not valid form-encoded UTF-8.", None),
        (b"a=%ff", "Invalid encoding: the request is not valid form-encoded UTF-8.", None),
        (b"%ff=a", "Invalid encoding: the request is not valid form-encoded UTF-8.", None),
        (b"a=\xff", "Invalid encoding: the request is not valid form-encoded UTF-8.", None),
        (b"a=%ed%a0%80", "Invalid encoding: the request is not valid form-encoded UTF-8.", None),
        (b"a=1&a[b]=2", "Invalid object", "a"),
        (b"a[b]=2&a=1", "Invalid object", "a"),
        (b"a[b]=1&a[b][c]=2", "Invalid object", "a[b]"),
        (b"a[b][c]=2&a[b]=1", "Invalid object", "a[b]"),
        (b"a=1&a[]=2", "Invalid array", "a"),
        (b"a[]=1&a=2", "Invalid object", "a"),
        (b"a[]=1&a[0]=2", "Invalid array", "a"),
        (b"a[b]=1&a[]=2", "Invalid array", "a"),
        (b"a[]=1&a[][b]=2", "Invalid object", "a"),
        (b"a[][]=1", "Invalid array", "a"),
    ],
)
def test_a_body_that_means_two_things_or_nothing_is_refused(body: bytes, message: str, param: str | None) -> None:
    """A malformed request gets a clear 400, never a guess and never a traceback."""
    with pytest.raises(StripeError) as refused:
        decode(body)

    assert (refused.value.status, str(refused.value), refused.value.param) == (400, message, param)


def test_hostile_sizes_are_refused_before_they_cost_anything() -> None:
    """A body made to exhaust memory or the recursion limit is a 400 like any other bad request."""
    too_many = "&".join("a=1" for _ in range(PAIRS_MAX + 1))
    too_deep = "a" + "[b]" * DEPTH_MAX + "=1"
    absurdly_deep = "a" + "[b]" * 50_000 + "=1"

    for body in (too_many, too_deep, absurdly_deep):
        with pytest.raises(StripeError) as refused:
            decode(body)
        assert refused.value.status == 400

    assert len(decode("&".join(f"a{n}=1" for n in range(PAIRS_MAX)))) == PAIRS_MAX
    assert decode("a" + "[b]" * (DEPTH_MAX - 1) + "=1")
