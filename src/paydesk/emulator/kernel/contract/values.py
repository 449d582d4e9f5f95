"""Single values: the check of each kind of them, and how a refusal finds out where it stands."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from paydesk.emulator.kernel.errors import StripeError, invalid
from paydesk.emulator.kernel.form import bracketed

Check = Callable[[Any], Any]

METADATA_KEYS_MAX: Final = 50
METADATA_KEY_LENGTH_MAX: Final = 40
METADATA_VALUE_LENGTH_MAX: Final = 500

# Eighteen digits always fit the 64 bits that Stripe and SQLite give an integer.
_INTEGER: Final = re.compile("[+-]?[0-9]{1,18}")
_DECIMAL: Final = re.compile(r"[+-]?(?:[0-9]{1,18}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})")


class Refused(Exception):
    """A problem with a value. Each group it passes on its way up adds the name under which it holds that value."""

    def __init__(self, message: str, *, code: str | None = None, is_about_name: bool = False) -> None:
        self.message = message
        self.code = code
        self.is_about_name = is_about_name
        self.path: list[str] = []

    def error(self) -> StripeError:
        param = bracketed(tuple(reversed(self.path)))
        message = self.message.replace("%s", param) if self.is_about_name else self.message
        return invalid(message, code=self.code, param=param)


def empty() -> Refused:
    return Refused(
        "You passed an empty string for '%s'. We assume empty values are an attempt to unset a parameter; however '%s' "
        "cannot be unset. You should remove '%s' from your request or supply a non-empty value.",
        code="parameter_invalid_empty",
        is_about_name=True,
    )


def missing(name: str) -> Refused:
    refused = Refused("Missing required param: %s.", code="parameter_missing", is_about_name=True)
    refused.path.append(name)
    return refused


def text(length_max: int | None) -> Check:
    def check(value: Any) -> str:
        if type(value) is not str:
            raise Refused("Invalid string")
        if value == "":
            raise empty()
        if length_max is not None and len(value) > length_max:
            shown = f"{value[:4]}...{value[-4:]}"
            raise Refused(f"Invalid string: {shown}; must be at most {length_max} characters")
        return value

    return check


def integer(value: Any) -> int:
    if type(value) is str and _INTEGER.fullmatch(value):
        return int(value)
    raise _not_a(value, "integer", code="parameter_invalid_integer")


def boolean(value: Any) -> bool:
    if value == "true":
        return True
    if value == "false":
        return False
    raise _not_a(value, "boolean")


def number(value: Any) -> float:
    return float(decimal(value))


def decimal(value: Any) -> str:
    if type(value) is str and _DECIMAL.fullmatch(value):
        return value
    raise _not_a(value, "decimal")


def _not_a(value: Any, kind: str, *, code: str | None = None) -> Refused:
    if value == "":
        return empty()
    return Refused(f"Invalid {kind}: {value}" if type(value) is str else f"Invalid {kind}", code=code)


def choice(values: tuple[str, ...]) -> Check:
    known = frozenset(values)
    alternatives = _alternatives(values)

    def check(value: Any) -> str:
        if type(value) is str and value in known:
            return value
        if value == "":
            raise empty()
        raise Refused(f"Invalid %s: must be one of {alternatives}", is_about_name=True)

    return check


def _alternatives(values: tuple[str, ...]) -> str:
    if len(values) < 3:
        return " or ".join(values)
    return f"{', '.join(values[:-1])}, or {values[-1]}"


def anything(value: Any) -> Any:
    return value


def too_many_keys(count: int) -> str:
    """What is said of more metadata than an object can have."""
    return f"Metadata can have up to {METADATA_KEYS_MAX} keys, but you've set {count}."


def metadata(value: Any) -> dict[str, str | None]:
    """The caller's own names; one sent empty is None, which takes it away."""
    if type(value) is not dict:
        raise Refused("Invalid object")
    if len(value) > METADATA_KEYS_MAX:
        raise Refused(too_many_keys(len(value)))
    typed: dict[str, str | None] = {}
    for key, inner in value.items():
        if type(inner) is not str:
            refused = Refused("Invalid string")
        elif len(key) > METADATA_KEY_LENGTH_MAX:
            refused = Refused(
                f"Metadata keys can have up to {METADATA_KEY_LENGTH_MAX} characters, "
                f"but you passed in a key that is {len(key)} characters. Invalid key: {key}"
            )
        elif len(inner) > METADATA_VALUE_LENGTH_MAX:
            refused = Refused(
                f"Metadata values can have up to {METADATA_VALUE_LENGTH_MAX} characters, "
                f"but you passed in a value that is {len(inner)} characters. Invalid value: {inner}"
            )
        else:
            typed[key] = inner or None
            continue
        refused.path.append(key)
        raise refused
    return typed
