"""The contract: what Stripe's own SDK says may be sent, enforced with Stripe's own words."""

from __future__ import annotations

import ast
import importlib
from importlib.util import find_spec
from pathlib import Path
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


# Paths


def urls_by_parsing() -> set[tuple[str, str, str | None]]:
    """What the services' methods call, found by parsing them: slower than the scan in use, and surer."""
    found = set()
    origin = find_spec("stripe")
    assert origin is not None
    assert origin.origin is not None
    for file in Path(origin.origin).parent.rglob("*_service.py"):
        for method in ast.walk(ast.parse(file.read_text())):
            if isinstance(method, ast.FunctionDef):
                found |= {(verb, url, params_of(method)) for verb, url in calls_in(method)}
    return found


def calls_in(method: ast.FunctionDef) -> list[tuple[str, str]]:
    calls = []
    for node in ast.walk(method):
        match node:
            case ast.Call(
                func=ast.Attribute(attr="_request" | "_request_stream"), args=[ast.Constant(value=verb), url, *_]
            ):
                template = url.func.value if isinstance(url, ast.Call) and isinstance(url.func, ast.Attribute) else url
                if isinstance(template, ast.Constant) and str(template.value).startswith("/v1/"):
                    calls.append((str(verb).upper(), str(template.value)))
    return calls


def params_of(method: ast.FunctionDef) -> str | None:
    for argument in method.args.args:
        if argument.arg == "params" and argument.annotation is not None:
            names = [node.value for node in ast.walk(argument.annotation) if isinstance(node, ast.Constant)]
            return str(names[0])
    return None


def test_every_url_the_sdk_can_call_is_known() -> None:
    """No URL of the installed SDK is missed, and each is typed by the class the SDK types it with."""
    known = {(path.method, path.template, path.params) for path in contract.known_paths()}

    parsed = urls_by_parsing()

    assert {(verb, url) for verb, url, _ in known} == {(verb, url) for verb, url, _ in parsed}
    assert known <= parsed
    assert ("POST", "/v1/checkout/sessions", "SessionCreateParams") in known
    assert ("GET", "/v1/balance", "BalanceRetrieveParams") in known
    assert ("DELETE", "/v1/customers/{customer}", "CustomerDeleteParams") in known
    assert len(known) > 500


def every_shape(shape: Shape) -> list[Shape]:
    match shape:
        case Object():
            inner = [one for field in shape.fields.values() for one in every_shape(field)]
        case Array() | Map():
            inner = every_shape(shape.item)
        case Unsettable():
            inner = every_shape(shape.shape)
        case Either():
            groups = [] if shape.group is None else every_shape(shape.group)
            inner = groups + [one for scalar in shape.scalars for one in every_shape(scalar)]
        case _:
            inner = []
    return [shape, *inner]


def test_every_operation_of_the_sdk_is_understood() -> None:
    """Each parameter of each URL has a shape; only an uploaded file is left untyped."""
    untyped = set()
    for path in contract.known_paths():
        known = operation((path.method, path.template))
        if any(isinstance(shape, Anything) for shape in every_shape(known.params)):
            untyped.add(path.template)

    assert untyped == {"/v1/files"}


def test_the_parameters_are_those_of_the_sdks_own_types() -> None:
    """Reading the SDK's source gives the names and the required ones that importing it gives."""
    options = importlib.import_module("stripe._request_options").RequestOptions.__annotations__

    for path in contract.known_paths():
        if path.module is None or path.params is None:
            continue
        typed = getattr(importlib.import_module(path.module), path.params)

        read_params = operation((path.method, path.template)).params

        names = set(typed.__annotations__) - set(options) | {"expand"}
        assert set(read_params.fields) - {"client_secret"} == names - {"client_secret"}, path
        assert read_params.required == typed.__required_keys__, path


@pytest.mark.parametrize(
    ("method", "path", "found"),
    [
        ("GET", "/v1/customers", ("/v1/customers", {})),
        ("get", "/v1/customers/cus_1", ("/v1/customers/{customer}", {"customer": "cus_1"})),
        ("GET", "/v1/customers/search", ("/v1/customers/search", {})),
        ("GET", "/v1/payment_intents/search", ("/v1/payment_intents/search", {})),
        ("POST", "/v1/payment_intents/pi_1/confirm", ("/v1/payment_intents/{intent}/confirm", {"intent": "pi_1"})),
        ("POST", "/v1/test_helpers/test_clocks", ("/v1/test_helpers/test_clocks", {})),
        (
            "DELETE",
            "/v1/customers/cus_1/tax_ids/txi_1",
            ("/v1/customers/{customer}/tax_ids/{id}", {"customer": "cus_1", "id": "txi_1"}),
        ),
        ("GET", "/v1/customers/", None),
        ("GET", "/v1/nothing", None),
        ("DELETE", "/v1/refunds/re_1", None),
        ("GET", "/v1/customers/cus_1/nothing/at/all", None),
        ("GET", "/", None),
    ],
)
def test_a_request_is_recognised_as_the_url_it_means(
    method: str, path: str, found: tuple[str, dict[str, str]] | None
) -> None:
    """A URL Stripe has is told from one it does not have, with the ids that stand in it."""
    assert contract.match(method, path) == found


# Operations


def test_a_refund_is_typed_as_the_sdk_types_it() -> None:
    """One operation, spelled out."""
    assert operation(("POST", "/v1/refunds")).params == Object(
        {
            "amount": Integer(),
            "charge": Text(),
            "currency": Text(),
            "customer": Text(),
            "expand": Array(Text()),
            "instructions_email": Unsettable(Text()),
            "metadata": Unsettable(Metadata()),
            "origin": Choice(("customer_balance",)),
            "payment_intent": Text(),
            "reason": Choice(("duplicate", "fraudulent", "requested_by_customer"), is_open=True),
            "refund_application_fee": Boolean(),
            "reverse_transfer": Boolean(),
        }
    )


@pytest.mark.parametrize(
    ("url", "name", "shape"),
    [
        (COUPONS, "percent_off", Number()),
        (PRICES, "unit_amount_decimal", Decimal()),
        (CUSTOMERS, "email", Unsettable(Text(512))),
        (CUSTOMERS, "tax_exempt", Unsettable(Choice(("none", "reverse", "exempt"), is_open=True))),
        (INTENTS, "off_session", Either(None, (Boolean(), Choice(("one_off", "recurring"), is_open=True)))),
        (SUBSCRIPTION, "trial_end", Either(None, (Integer(), Choice(("now",))))),
        (SESSIONS, "client_reference_id", Unsettable(Text(200))),
        (PRODUCTS, "images", Array(Text(), items_max=8)),
        (
            ("GET", "/v1/events"),
            "created",
            Either(Object({name: Integer() for name in ("gt", "gte", "lt", "lte")}), (Integer(),)),
        ),
    ],
)
def test_each_kind_of_parameter_has_its_shape(url: tuple[str, str], name: str, shape: Shape) -> None:
    """Numbers, fractions, words, limits and alternatives are all told apart."""
    assert operation(url).params.fields[name] == shape


def test_options_of_the_client_are_no_parameters() -> None:
    """The SDK's per-request options travel as headers; sent as parameters they are unknown."""
    fields = operation(CUSTOMERS).params.fields

    assert not {"api_key", "idempotency_key", "stripe_account", "stripe_version", "headers"} & set(fields)


def test_names_that_are_pythons_own_words_are_parameters_too() -> None:
    """`in` and `is` are countries here, whatever else they are to Python."""
    countries = operation(("POST", "/v1/tax/registrations")).params.fields["country_options"]

    assert isinstance(countries, Object)
    assert {"in", "is", "ae", "us"} <= set(countries.fields)


def test_raw_cards_and_client_secrets_are_taken_as_stripe_takes_them() -> None:
    """The SDK's types leave them out on purpose; Stripe does not."""
    card = "payment_method_data[type]=card&payment_method_data[card][number]=4242424242424242"
    expiry = "&payment_method_data[card][exp_month]=12&payment_method_data[card][exp_year]=2034"

    typed = read(INTENTS, "amount=100&currency=usd&" + card + expiry)

    assert typed["payment_method_data"]["card"] == {"number": "4242424242424242", "exp_month": 12, "exp_year": 2034}
    assert read(("POST", "/v1/payment_intents/{intent}/confirm"), "client_secret=x") == {"client_secret": "x"}


def test_a_url_the_sdk_does_not_know_has_no_contract() -> None:
    """The caller can tell an unknown URL from one without parameters."""
    assert contract.operation("POST", "/v1/nothing") is None
    assert operation(("GET", "/v1/balance")).params.fields.keys() == {"expand"}


# Checking


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


# The round trip: values of every shape, through the official encoder and back


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


# Leaves


def test_what_was_sent_is_named_without_indices() -> None:
    """The names tell which parameters had an effect; the caller's own metadata keys are not among them."""
    sent = decode(
        "mode=payment&line_items[0][price_data][currency]=usd&line_items[0][quantity]=1&line_items[1][quantity]=2"
        "&expand[]=a&expand[]=b&images[0]=x&metadata[a]=1&metadata[b]=2&payment_intent_data[metadata][a]=1"
        "&tags[][name]=x&customer="
    )

    assert contract.leaves(sent) == [
        "mode",
        "line_items.price_data.currency",
        "line_items.quantity",
        "expand",
        "images",
        "metadata",
        "payment_intent_data.metadata",
        "tags.name",
        "customer",
    ]


# Answers


def test_the_fields_of_an_answer_are_those_of_the_sdks_class() -> None:
    """What an object may show, its own id and name among it."""
    assert {"id", "object", "livemode", "payment_status", "line_items"} <= contract.fields_of("checkout.session")
    assert "OBJECT_NAME" not in contract.fields_of("refund")
    with pytest.raises(KeyError):
        contract.fields_of("nothing")


def test_what_can_be_expanded_names_what_it_becomes() -> None:
    """Ids that can be followed, also inside groups, with the objects they lead to."""
    customer = contract.expandable("customer")
    charge = contract.expandable("charge")

    assert customer["invoice_settings.default_payment_method"] == ("payment_method",)
    assert customer["default_source"] == ("account", "bank_account", "card", "source")
    assert charge["payment_intent"] == ("payment_intent",)
    assert charge["customer"] == ("customer",)
    assert "description" not in charge
    assert contract.expandable("checkout.session")["discounts.coupon"] == ("coupon",)
