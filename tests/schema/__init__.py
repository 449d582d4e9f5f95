"""Is it what Stripe would send? Every answer is held against Stripe's published schema."""

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

SCHEMA = Path(__file__).parent / "stripe-schema.json"
ROOT = "urn:stripe"


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
def _validator(name: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"{ROOT}#/components/schemas/{name}"}, registry=_registry())


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
        for item in value["data"]:
            check(item)
        return
    if value.get("deleted"):
        assert set(value) == {"id", "object", "deleted"}, f"not a deletion stub: {value}"
        return
    schema = "item" if name == "item" else name
    if schema in object_names():
        _hold(value, schema)
    if name == "event":
        check(value["data"]["object"])


def _hold(value: Any, name: str) -> None:
    if name not in object_names():
        return
    problem = jsonschema.exceptions.best_match(_validator(name).iter_errors(value))
    if problem is not None:
        path = ".".join(str(part) for part in problem.absolute_path)
        raise AssertionError(f"{name}.{path}: {problem.message[:300]}")


class CheckedClient(stripe.RequestsClient):
    """The SDK's own HTTP client, looking at every answer before the SDK does."""

    def request(self, *args: Any, **kwargs: Any) -> Any:
        body, status, headers = super().request(*args, **kwargs)
        if headers.get("Content-Type", "").startswith("application/json"):
            check(json.loads(body))
        return body, status, headers
