"""What Stripe refuses or words differently although the SDK's types do not say so."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from paydesk.emulator.kernel.contract import source

# "This may be up to *512 characters*", "At most 1024 characters long", "Max length, 4096 characters".
_LENGTH: Final = re.compile(r"(?:up to|at most|maximum|max length,) \*?([\d,]+) characters", re.IGNORECASE)

_LENGTHS: Final = {
    ("CouponCreateParams", "name"): 40,
    ("CouponUpdateParams", "name"): 40,
    ("MeterCreateParams", "display_name"): 250,
    ("MeterCreateParams", "event_name"): 100,
    ("MeterEventCreateParams", "event_name"): 100,
    ("MeterEventCreateParams", "identifier"): 100,
    ("MeterUpdateParams", "display_name"): 250,
    ("SessionCreateParams", "client_reference_id"): 200,
}
_ITEMS: Final = {
    ("ConfigurationCreateParamsFeaturesSubscriptionUpdate", "products"): 10,
    ("ConfigurationUpdateParamsFeaturesSubscriptionUpdate", "products"): 10,
    ("PriceListParams", "lookup_keys"): 10,
    ("ProductCreateParams", "images"): 8,
    ("ProductCreateParams", "marketing_features"): 15,
    ("ProductUpdateParams", "images"): 8,
    ("ProductUpdateParams", "marketing_features"): 15,
    ("SessionCreateParams", "custom_fields"): 3,
    ("SessionCreateParams", "discounts"): 1,
    ("SessionCreateParams", "optional_items"): 10,
    ("SessionCreateParams", "shipping_options"): 5,
}
# The order in which Stripe names the alternatives, where it is not the SDK's.
_ORDERS: Final = (
    ("draft", "open", "void", "paid", "uncollectible"),
    ("month", "year", "week", "day"),
    ("none", "reverse", "exempt"),
    ("payment", "setup", "subscription"),
)

_NEVER_EMPTY: Final = frozenset(
    {
        ("ProductCreateParams", "description"),
        ("ProductUpdateParams", "name"),
        ("SessionCreateParams", "customer_email"),
    }
)
_NEVER_EMPTY_NAMES: Final = frozenset({"currency", "default_source", "destination", "id", "lookup_key", "query", "url"})


def length_max(class_: str, name: str, doc: str) -> int | None:
    """The most characters a text may have, where Stripe says so."""
    stated = _LENGTH.search(doc)
    return int(stated[1].replace(",", "")) if stated else _LENGTHS.get((class_, name))


def items_max(class_: str, name: str) -> int | None:
    """The most elements a list may have, where Stripe refuses more."""
    return _ITEMS.get((class_, name))


def in_order(values: tuple[str, ...]) -> tuple[str, ...]:
    """The alternatives of an enum as Stripe's refusal names them."""
    return next((order for order in _ORDERS if set(order) == set(values)), values)


def takes_empty(class_: str, name: str, *, is_required: bool) -> bool:
    """Whether an empty string unsets a plain text, as `description=` does.

    The SDK marks many parameters as unsettable, but not all that Stripe lets callers clear (a customer's name, email,
    description). So a plain text takes an empty string, except where that would name nothing: a required parameter,
    the id of an object (a parameter named like one), a URL, a currency, a lookup key or a search; and except the few
    texts that Stripe is known to refuse. Numbers, booleans, enums, lists and groups take one only where the SDK says
    so.
    """
    return not (
        is_required
        or name in _NEVER_EMPTY_NAMES
        or name.endswith("_url")
        or (class_, name) in _NEVER_EMPTY
        or name in _object_names()
    )


@cache
def _object_names() -> frozenset[str]:
    return frozenset(name.rpartition(".")[2] for name in source.object_classes())
