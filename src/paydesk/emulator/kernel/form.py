"""Form bodies: `items[0][price]=price_x` as a person writes it, read as nested values.

Stripe's clients flatten nested parameters into bracketed names and send them form-encoded, in bodies and query
strings alike. Decoding gives dicts, lists and strings back, and knows nothing of parameters: a group whose names are
all numbers (`items[0]=…`) stays a dict, because `metadata[0]=x` looks the same and is no list. The contract decides.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from paydesk.emulator.kernel.errors import StripeError, invalid

# Far above anything Stripe documents: these only keep a hostile body from costing memory or the recursion limit.
DEPTH_MAX: Final = 20
PAIRS_MAX: Final = 10_000
CACHED_NAME_MAX: Final = 200

# How JSON and multipart bodies begin, and no parameter does.
_OTHER_FORMATS: Final = ("{", "--")

_BAD_ESCAPE = re.compile("%(?![0-9a-fA-F]{2})")
_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])+)", re.DOTALL)


def decode(body: str | bytes) -> dict[str, Any]:
    """The parameters of a form-encoded body or query string, in the order they were sent.

    Values are strings, dicts, or (for `a[]=x`) lists. Of a scalar sent twice, the last wins.

    Raises:
        StripeError: 400 for a body in another format, bad percent-encoding, bytes that are not UTF-8, a name used both
            as a value and as a group, and for more depth or more pairs than any real request has.
    """
    text = body.decode("utf-8", "surrogateescape") if isinstance(body, bytes) else body
    params: dict[str, Any] = {}
    if not text:
        return params
    if text.startswith(_OTHER_FORMATS):
        raise invalid(
            "Invalid request (check that your POST content type is application/x-www-form-urlencoded). If you have any "
            "questions, we can help at https://support.stripe.com/."
        )
    if text.count("&") >= PAIRS_MAX:
        raise invalid(f"Too many parameters: a request can have up to {PAIRS_MAX}.")
    if not text.isascii():
        text = _raw_utf8(text)
    if "%" in text and _BAD_ESCAPE.search(text):
        raise _not_decodable()
    for pair in text.split("&"):
        name, _, value = pair.partition("=")
        if "%" in value or "+" in value:
            value = _unquote(value)
        if "%" in name or "+" in name:
            name = _unquote(name)
        if name.endswith("]"):
            path = _path(name) if len(name) <= CACHED_NAME_MAX else _path.__wrapped__(name)
            _put(params, path, value)
        elif pair:
            if name in params and not isinstance(params[name], str):
                raise invalid("Invalid object", param=name)
            params[name] = value
    return params


def bracketed(path: tuple[str, ...]) -> str:
    """A path as the request spells it: `items[0][price]`."""
    return path[0] + "".join(f"[{part}]" for part in path[1:])


@lru_cache(maxsize=2048)
def _path(name: str) -> tuple[str, ...]:
    """`a[b][]` is `("a", "b", "")`. Brackets that do not pair up are part of the name."""
    found = _NAME.fullmatch(name)
    if found is None:
        return (name,)
    head, groups = found.groups()
    path = (head, *groups[1:-1].split("]["))
    if len(path) > DEPTH_MAX:
        raise invalid(f"Invalid parameter: nested more than {DEPTH_MAX} levels deep.", param=head)
    return path


def _put(params: dict[str, Any], path: tuple[str, ...], value: str) -> None:
    here: Any = params
    for depth, part in enumerate(path[:-1]):
        rest = path[depth + 1 :]
        fresh: Any = [] if rest[0] == "" else {}
        if isinstance(here, list):
            here = _element(here, rest, fresh, path[: depth + 1])
            continue
        below = here.setdefault(part, fresh)
        if type(below) is not type(fresh):
            kind = "array" if rest[0] == "" or isinstance(below, list) else "object"
            raise invalid(f"Invalid {kind}", param=bracketed(path[: depth + 1]))
        here = below
    if isinstance(here, list):
        here.append(value)
        return
    if not isinstance(here.get(path[-1], value), str):
        raise invalid("Invalid object", param=bracketed(path))
    here[path[-1]] = value


def _element(items: list[Any], rest: tuple[str, ...], fresh: Any, path: tuple[str, ...]) -> Any:
    """The object that `a[][b]` speaks of: the last one, until a name comes round again and starts the next."""
    if not isinstance(fresh, dict):
        raise invalid("Invalid array", param=bracketed(path[:-1]))
    if items and not isinstance(items[-1], dict):
        raise invalid("Invalid object", param=bracketed(path[:-1]))
    if not items or _holds(items[-1], rest):
        items.append(fresh)
    return items[-1]


def _holds(item: Any, path: tuple[str, ...]) -> bool:
    for part in path:
        if not isinstance(item, dict) or part not in item:
            return False
        item = item[part]
    return True


def _unquote(text: str) -> str:
    plain = text.replace("+", " ")
    if "%" not in plain:
        return plain
    try:
        return unquote_to_bytes(plain).decode()
    except UnicodeDecodeError:
        raise _not_decodable() from None


def _raw_utf8(text: str) -> str:
    """Characters that were not percent-encoded are welcome as long as they are UTF-8."""
    try:
        return text.encode("utf-8", "surrogateescape").decode()
    except UnicodeDecodeError:
        raise _not_decodable() from None


def _not_decodable() -> StripeError:
    return invalid("Invalid encoding: the request is not valid form-encoded UTF-8.")
