"""The keywords that Stripe's schema is written in, as functions: yes or no, thirty times as fast as jsonschema.

Whoever is told no asks jsonschema why. A keyword that is not known here is refused, so that nothing goes unchecked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

Check = Callable[[Any], bool]

_TYPES: Final[dict[str, Check]] = {
    "array": lambda value: type(value) is list,
    "boolean": lambda value: type(value) is bool,
    "integer": lambda value: type(value) is int or (type(value) is float and value.is_integer()),
    "null": lambda value: value is None,
    "number": lambda value: type(value) in (int, float),
    "object": lambda value: type(value) is dict,
    "string": lambda value: type(value) is str,
}
# jsonschema does not hold a text against its format, either.
_SAY_NOTHING: Final = frozenset({"format"})


class Schemas:
    """Checks by the name of what they are for. Each is made when something first asks for it."""

    def __init__(self, schemas: Mapping[str, Any]) -> None:
        self._schemas = schemas
        self._made: dict[str, Check] = {}

    def holds(self, name: str, value: Any) -> bool:
        """Whether a value has the shape of that name."""
        check = self._made.get(name)
        if check is None:
            check = self._made[name] = self._all(self._schemas[name])
        return check(value)

    def _all(self, schema: Mapping[str, Any]) -> Check:
        checks = [self._keyword(name, schema) for name in schema if not (name in _SAY_NOTHING or name.startswith("x-"))]
        return checks[0] if len(checks) == 1 else lambda value: all(check(value) for check in checks)

    def _keyword(self, name: str, schema: Mapping[str, Any]) -> Check:
        said = schema[name]
        match name:
            case "$ref":
                referred = said.rpartition("/")[2]
                return lambda value: self.holds(referred, value)
            case "type":
                return _type(said)
            case "enum":
                allowed = {(type(one), one) for one in said}
                return lambda value: value.__hash__ is not None and (type(value), value) in allowed
            case "anyOf":
                ways = [self._all(one) for one in said]
                return lambda value: any(way(value) for way in ways)
            case "items":
                item = self._all(said)
                return lambda value: type(value) is not list or all(map(item, value))
            case "properties":
                return _fields({field: self._all(one) for field, one in said.items()})
            case "additionalProperties":
                return self._others(said, frozenset(schema.get("properties", ())))
            case "required":
                needed = frozenset(said)
                return lambda value: type(value) is not dict or needed <= value.keys()
            case "maxLength":
                return lambda value: type(value) is not str or len(value) <= said
        raise LookupError(f"{name} in Stripe's schema has no check yet: {said!r}")

    def _others(self, said: Any, named: frozenset[str]) -> Check:
        if isinstance(said, bool):
            return lambda value: said or type(value) is not dict or value.keys() <= named
        other = self._all(said)
        return lambda value: type(value) is not dict or all(other(value[name]) for name in value.keys() - named)


def _type(said: str | list[str]) -> Check:
    if isinstance(said, str):
        return _TYPES[said]
    kinds = [_TYPES[one] for one in said]
    return lambda value: any(kind(value) for kind in kinds)


def _fields(checks: Mapping[str, Check]) -> Check:
    def check(value: Any) -> bool:
        if type(value) is not dict:
            return True
        for name, inner in value.items():
            field = checks.get(name)
            if field is not None and not field(inner):
                return False
        return True

    return check
