"""Operations: what may be sent to a URL has the shape that the SDK's own types give it."""

from __future__ import annotations

import importlib

import pytest

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
from tests.emulator.kernel.contract.urls import (
    COUPONS,
    CUSTOMERS,
    INTENTS,
    PRICES,
    PRODUCTS,
    SESSIONS,
    SUBSCRIPTION,
    operation,
    read,
)


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
