"""Checking: good parameters come out typed, and each mistake gets Stripe's own words."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.kernel.contract.urls import (
    COUPONS,
    CUSTOMERS,
    INTENTS,
    PRICES,
    PRODUCTS,
    SESSIONS,
    SUBSCRIPTION,
    read,
    refused,
)


@pytest.mark.parametrize(
    ("url", "body", "typed"),
    [
        (CUSTOMERS, "", {}),
        (CUSTOMERS, "email=ada%40example.com&balance=-500", {"email": "ada@example.com", "balance": -500}),
        (
            CUSTOMERS,
            "description=&email=&name=&phone=",
            {"description": None, "email": None, "name": None, "phone": None},
        ),
        (CUSTOMERS, "address=", {"address": None}),
        (CUSTOMERS, "address[line2]=&address[city]=Paris", {"address": {"line2": None, "city": "Paris"}}),
        (CUSTOMERS, "metadata=", {"metadata": None}),
        (CUSTOMERS, "metadata[a]=1&metadata[b]=", {"metadata": {"a": "1", "b": None}}),
        (CUSTOMERS, "metadata[0]=x", {"metadata": {"0": "x"}}),
        (CUSTOMERS, "validate=true", {"validate": True}),
        (CUSTOMERS, "validate=false", {"validate": False}),
        (CUSTOMERS, "expand[]=tax&expand[]=sources", {"expand": ["tax", "sources"]}),
        (CUSTOMERS, "expand[0]=tax&expand[1]=sources", {"expand": ["tax", "sources"]}),
        (CUSTOMERS, "expand[10]=c&expand[2]=b&expand[0]=a", {"expand": ["a", "b", "c"]}),
        (COUPONS, "percent_off=12.5&duration=once", {"percent_off": 12.5, "duration": "once"}),
        (PRICES, "currency=usd&unit_amount_decimal=0.05", {"currency": "usd", "unit_amount_decimal": "0.05"}),
        (
            PRICES,
            "currency=usd&currency_options[eur][unit_amount]=100",
            {"currency": "usd", "currency_options": {"eur": {"unit_amount": 100}}},
        ),
        (INTENTS, "amount=1&currency=usd&off_session=true", {"amount": 1, "currency": "usd", "off_session": True}),
        (
            INTENTS,
            "amount=1&currency=usd&off_session=one_off",
            {"amount": 1, "currency": "usd", "off_session": "one_off"},
        ),
        (SUBSCRIPTION, "trial_end=now", {"trial_end": "now"}),
        (SUBSCRIPTION, "trial_end=1790000000", {"trial_end": 1790000000}),
        (("GET", "/v1/events"), "created=5", {"created": 5}),
        (("GET", "/v1/events"), "created[gte]=5&limit=3", {"created": {"gte": 5}, "limit": 3}),
        (
            SESSIONS,
            "mode=payment&line_items[0][price]=price_1&line_items[0][quantity]=2",
            {"mode": "payment", "line_items": [{"price": "price_1", "quantity": 2}]},
        ),
    ],
)
def test_good_parameters_come_out_typed(url: tuple[str, str], body: str, typed: dict[str, Any]) -> None:
    """Text becomes numbers, booleans, lists and groups; a parameter sent empty to be unset is None."""
    assert read(url, body) == typed


EMPTY = (
    "You passed an empty string for '{0}'. We assume empty values are an attempt to unset a parameter; however '{0}' "
    "cannot be unset. You should remove '{0}' from your request or supply a non-empty value."
)
LONG_KEY = f"you passed in a key that is 41 characters. Invalid key: {'k' * 41}"
LONG_VALUE = f"you passed in a value that is 501 characters. Invalid value: {'v' * 501}"
ITEM = "line_items[0][price_data]"


@pytest.mark.parametrize(
    ("url", "body", "message", "code", "param"),
    [
        (CUSTOMERS, "nam=x", "Received unknown parameter: nam", "parameter_unknown", "nam"),
        (CUSTOMERS, "a=1&b[c]=2&name=x", "Received unknown parameters: a, b", "parameter_unknown", "a"),
        (CUSTOMERS, "=1", "Received unknown parameter: ", "parameter_unknown", ""),
        (CUSTOMERS, "api_key=sk", "Received unknown parameter: api_key", "parameter_unknown", "api_key"),
        (CUSTOMERS, "balance=x&nam=x", "Received unknown parameter: nam", "parameter_unknown", "nam"),
        (
            SESSIONS,
            "mode=zzz&line_items[0][prise]=x&line_items[1][a]=b",
            "Received unknown parameters: line_items[0][prise], line_items[1][a]",
            "parameter_unknown",
            "line_items[0][prise]",
        ),
        (
            PRICES,
            "currency=usd&currency_options[eur][amount]=1",
            "Received unknown parameter: currency_options[eur][amount]",
            "parameter_unknown",
            "currency_options[eur][amount]",
        ),
        (INTENTS, "amount=1", "Missing required param: currency.", "parameter_missing", "currency"),
        (INTENTS, "", "Missing required param: amount.", "parameter_missing", "amount"),
        (
            SESSIONS,
            f"{ITEM}[unit_amount]=1",
            f"Missing required param: {ITEM}[currency].",
            "parameter_missing",
            f"{ITEM}[currency]",
        ),
        (SESSIONS, "mode=pay", "Invalid mode: must be one of payment, setup, or subscription", None, "mode"),
        (
            PRICES,
            "recurring[interval]=fortnight",
            "Invalid recurring[interval]: must be one of month, year, week, or day",
            None,
            "recurring[interval]",
        ),
        (CUSTOMERS, "tax_exempt=x", "Invalid tax_exempt: must be one of none, reverse, or exempt", None, "tax_exempt"),
        (
            PRICES,
            "currency=usd&billing_scheme=x",
            "Invalid billing_scheme: must be one of per_unit or tiered",
            None,
            "billing_scheme",
        ),
        (INTENTS, "amount=abc", "Invalid integer: abc", "parameter_invalid_integer", "amount"),
        (INTENTS, "amount=1.5", "Invalid integer: 1.5", "parameter_invalid_integer", "amount"),
        (INTENTS, "amount=1_000", "Invalid integer: 1_000", "parameter_invalid_integer", "amount"),
        (INTENTS, "amount=%D9%A1", "Invalid integer: ١", "parameter_invalid_integer", "amount"),
        (INTENTS, "amount=" + "9" * 19, "Invalid integer: " + "9" * 19, "parameter_invalid_integer", "amount"),
        (INTENTS, "amount[a]=1", "Invalid integer", "parameter_invalid_integer", "amount"),
        (INTENTS, "amount=", EMPTY.format("amount"), "parameter_invalid_empty", "amount"),
        (CUSTOMERS, "validate=yes", "Invalid boolean: yes", None, "validate"),
        (CUSTOMERS, "validate=", EMPTY.format("validate"), "parameter_invalid_empty", "validate"),
        (COUPONS, "percent_off=half", "Invalid decimal: half", None, "percent_off"),
        (COUPONS, "percent_off=nan", "Invalid decimal: nan", None, "percent_off"),
        (COUPONS, "percent_off=" + "9" * 400, "Invalid decimal: " + "9" * 400, None, "percent_off"),
        (PRICES, "unit_amount_decimal=6E%2B1", "Invalid decimal: 6E+1", None, "unit_amount_decimal"),
        (SESSIONS, "line_items=x", "Invalid array", None, "line_items"),
        (SESSIONS, "line_items[a]=x", "Invalid array", None, "line_items"),
        (SESSIONS, "line_items[%C2%B2]=x", "Invalid array", None, "line_items"),
        (SESSIONS, "line_items[0]=x", "Invalid object", None, "line_items[0]"),
        (CUSTOMERS, "expand=tax", "Invalid array", None, "expand"),
        (PRICES, "recurring=month", "Invalid object", None, "recurring"),
        (PRICES, "recurring[]=month", "Invalid object", None, "recurring"),
        (CUSTOMERS, "name[first]=Ada", "Invalid string", None, "name"),
        (CUSTOMERS, "metadata=x", "Invalid object", None, "metadata"),
        (CUSTOMERS, "metadata[]=x", "Invalid object", None, "metadata"),
        (CUSTOMERS, "metadata[a][b]=x", "Invalid string", None, "metadata[a]"),
        (INTENTS, "currency=", EMPTY.format("currency"), "parameter_invalid_empty", "currency"),
        (INTENTS, "amount=1&customer=", EMPTY.format("customer"), "parameter_invalid_empty", "customer"),
        (PRODUCTS, "name=", EMPTY.format("name"), "parameter_invalid_empty", "name"),
        (PRODUCTS, "name=x&description=", EMPTY.format("description"), "parameter_invalid_empty", "description"),
        (SESSIONS, "success_url=", EMPTY.format("success_url"), "parameter_invalid_empty", "success_url"),
        (SESSIONS, "mode=", EMPTY.format("mode"), "parameter_invalid_empty", "mode"),
        (
            SESSIONS,
            "line_items[3][price]=",
            EMPTY.format("line_items[3][price]"),
            "parameter_invalid_empty",
            "line_items[3][price]",
        ),
        (SUBSCRIPTION, "trial_end=soon", "Invalid integer: soon", "parameter_invalid_integer", "trial_end"),
        (
            CUSTOMERS,
            "email=abcd" + "m" * 600 + "wxyz",
            "Invalid string: abcd...wxyz; must be at most 512 characters",
            None,
            "email",
        ),
        (
            SESSIONS,
            "optional_items[0][price]=p" + "".join(f"&optional_items[{n}][price]=p" for n in range(1, 11)),
            "Array optional_items exceeded maximum 10 allowed elements.",
            None,
            "optional_items",
        ),
        (
            CUSTOMERS,
            "&".join(f"metadata[k{n}]=1" for n in range(51)),
            "Metadata can have up to 50 keys, but you've set 51.",
            None,
            "metadata",
        ),
        (
            CUSTOMERS,
            f"metadata[{'k' * 41}]=1",
            f"Metadata keys can have up to 40 characters, but {LONG_KEY}",
            None,
            f"metadata[{'k' * 41}]",
        ),
        (
            CUSTOMERS,
            f"metadata[k]={'v' * 501}",
            f"Metadata values can have up to 500 characters, but {LONG_VALUE}",
            None,
            "metadata[k]",
        ),
    ],
)
def test_each_mistake_gets_stripes_own_refusal(
    url: tuple[str, str], body: str, message: str, code: str | None, param: str
) -> None:
    """Same status, type, words, code and param as Stripe, so that code written against either meets the same answer."""
    error = refused(url, body)

    assert (str(error), error.code, error.param) == (message, code, param)
    assert (error.status, error.type) == (400, "invalid_request_error")


def test_the_first_problem_in_the_order_sent_is_the_one_reported() -> None:
    """After unknown names, parameters are judged one at a time as sent, and what is missing comes last."""
    assert refused(INTENTS, "capture_method=x&amount=abc").param == "capture_method"
    assert refused(INTENTS, "amount=abc&capture_method=x").param == "amount"
    assert refused(INTENTS, "amount=1&capture_method=x").param == "capture_method"
