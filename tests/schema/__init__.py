"""Is it what Stripe would send? Every answer is held against Stripe's published schema and its SDK's own classes."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import stripe
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012
from stripe._object_classes import OBJECT_CLASSES, get_object_class

from tests.schema.quick import Schemas

SCHEMA = Path(__file__).parent / "stripe-schema.json"
ROOT = "urn:stripe"

# Real answers carry a few keys that neither the schema nor the SDK declares.
UNDECLARED: dict[str, frozenset[str]] = {
    "charge": frozenset({"destination", "dispute", "order"}),
    "payment_intent": frozenset({"source"}),
    # What a subscription was before it could have several items.
    "subscription": frozenset({"plan", "quantity"}),
    # What the payment page's own URLs add.
    "checkout.session": frozenset({"account_settings", "line_item_group", "session_id", "total_summary"}),
}


@cache
def _registry() -> Registry[Any]:
    resource: Resource[Any] = DRAFT202012.create_resource(json.loads(SCHEMA.read_text(encoding="utf-8")))
    empty: Registry[Any] = Registry()
    registry: Registry[Any] = empty.with_resource(ROOT, resource)
    return registry


@cache
def object_names() -> frozenset[str]:
    """The names of the objects the schema describes."""
    return frozenset(_registry().contents(ROOT)["components"]["schemas"])


@cache
def quick() -> Schemas:
    """The schema as functions."""
    return Schemas(_registry().contents(ROOT)["components"]["schemas"])


@cache
def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"{ROOT}#/components/schemas/{name}"}, registry=_registry())


@cache
def _fields(name: str) -> frozenset[str]:
    """What the SDK's class for an object knows; nothing for what the SDK has no class for."""
    if name not in OBJECT_CLASSES:
        return frozenset()
    known = get_object_class("V1", name)
    return frozenset(field for base in known.__mro__ for field in getattr(base, "__annotations__", {}))


def check(value: Any) -> None:
    """Raise unless a decoded answer, with everything it holds, has the shape of Stripe's."""
    if not isinstance(value, dict):
        return
    name = value.get("object")
    if "error" in value and name is None:
        _hold(value, "error")
        return
    if name in ("list", "search_result"):
        assert {"url", "has_more", "data"} <= set(value), f"not a list envelope: {sorted(value)}"
    elif value.get("deleted") and name == "discount":
        # The one object of which more than a stub is left.
        _hold(value, "deleted_discount")
        _know(value, name)
    elif value.get("deleted"):
        assert set(value) == {"id", "object", "deleted"}, f"not a deletion stub: {value}"
    elif isinstance(name, str):
        _hold(value, name)
        _know(value, name)
    for inner in value.values():
        for item in inner if isinstance(inner, list) else [inner]:
            check(item)


def _hold(value: Any, name: str) -> None:
    """The schema: required keys, types, enums."""
    if name not in object_names() or quick().holds(name, value):
        return
    problem = jsonschema.exceptions.best_match(validator(name).iter_errors(value))
    path = "" if problem is None else ".".join(str(part) for part in problem.absolute_path)
    raise AssertionError(f"{name}.{path}: {'jsonschema finds nothing' if problem is None else problem.message[:300]}")


def _know(value: dict[str, Any], name: str) -> None:
    """The SDK: no key that its class has never heard of."""
    if fields := _fields(name):
        strange = set(value) - fields - UNDECLARED.get(name, frozenset())
        assert not strange, f"{name}: the SDK knows no {', '.join(sorted(strange))}"


class CheckedClient(stripe.RequestsClient):
    """The SDK's own HTTP client, looking at every answer before the SDK does."""

    def __init__(self) -> None:
        super().__init__()
        # To look for a proxy in the environment takes a tenth of what a request on loopback does.
        self._session = self.requests.Session()
        self._session.trust_env = False

    def request(self, *args: Any, **kwargs: Any) -> Any:
        body, status, headers = super().request(*args, **kwargs)
        if headers.get("Content-Type", "").startswith("application/json"):
            check(json.loads(body))
        return body, status, headers
