"""Checking: what was sent, against what may be sent; typed values come out, or Stripe's refusal of the first problem.

A shape is turned once into functions that check it. They run for every request, so they know only values; where a
refusal stands in the request is worked out as it passes up through the groups around it.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

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
from paydesk.emulator.kernel.contract.values import (
    Check,
    Refused,
    anything,
    boolean,
    choice,
    decimal,
    empty,
    integer,
    metadata,
    missing,
    number,
    text,
)
from paydesk.emulator.kernel.errors import StripeError, invalid
from paydesk.emulator.kernel.form import bracketed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from paydesk.emulator.kernel.contract.operations import Operation

INDEX_DIGITS_MAX: Final = 9


def check(operation: Operation, sent: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a request, typed. One sent empty to be unset is there as None.

    Raises:
        StripeError: 400 for the first problem: unknown parameters anywhere, then each parameter as it was sent, then
            what is missing.
    """
    try:
        typed: dict[str, Any] = _checker(operation)(sent)
    except Refused as refused:
        unknown = [bracketed(path) for path in _unknown(operation.params, sent, ())]
        raise _unknown_parameters(unknown) if unknown else refused.error() from None
    return typed


@cache
def _checker(operation: Operation) -> Check:
    return _object(operation.params)


def _compiled(shape: Shape) -> Check:
    match shape:
        case Text():
            return text(shape.length_max)
        case Integer():
            return integer
        case Boolean():
            return boolean
        case Number():
            return number
        case Decimal():
            return decimal
        case Choice():
            return choice(shape.values)
        case Metadata():
            return metadata
        case Anything():
            return anything
        case Array():
            return _array(shape)
        case Map():
            return _map(shape)
        case Object():
            return _object(shape)
        case Either():
            return _either(shape)
        case Unsettable():
            return _unsettable(shape.shape)


def _object(shape: Object) -> Check:
    checks = {name: _compiled(field) for name, field in shape.fields.items()}
    required = tuple(name for name in shape.fields if name in shape.required)

    def check(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise empty() if value == "" else Refused("Invalid object")
        typed = {}
        for name, inner in value.items():
            try:
                typed[name] = checks.get(name, _nobody_knows)(inner)
            except Refused as refused:
                refused.path.append(name)
                raise
        for name in required:
            if name not in typed:
                raise missing(name)
        return typed

    return check


def _nobody_knows(_: Any) -> Any:
    # check() looks for all unknown names when it meets one, and says it in full.
    raise Refused("Received unknown parameter")


def _array(shape: Array) -> Check:
    item = _compiled(shape.item)
    items_max = shape.items_max

    def check(value: Any) -> list[Any]:
        items = _items(value)
        if items_max is not None and len(items) > items_max:
            raise Refused(f"Array %s exceeded maximum {items_max} allowed elements.", is_about_name=True)
        typed = []
        for index, inner in items:
            try:
                typed.append(item(inner))
            except Refused as refused:
                refused.path.append(index)
                raise
        return typed

    return check


def _items(value: Any) -> list[tuple[str, Any]]:
    """The elements of a list, each with its index as sent: `a[]=x` and `a[0]=x` alike, gaps closed."""
    if type(value) is list:
        return [(str(index), inner) for index, inner in enumerate(value)]
    if type(value) is dict and all(map(_is_index, value)):
        return sorted(value.items(), key=_by_index) if len(value) > 1 else list(value.items())
    raise empty() if value == "" else Refused("Invalid array")


def _is_index(name: str) -> bool:
    return name.isdecimal() and name.isascii() and len(name) <= INDEX_DIGITS_MAX


def _by_index(item: tuple[str, Any]) -> int:
    return int(item[0])


def _map(shape: Map) -> Check:
    item = _compiled(shape.item)

    def check(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise empty() if value == "" else Refused("Invalid object")
        typed = {}
        for name, inner in value.items():
            try:
                typed[name] = item(inner)
            except Refused as refused:
                refused.path.append(name)
                raise
        return typed

    return check


def _either(shape: Either) -> Check:
    group = _object(shape.group) if shape.group is not None else None
    scalars = tuple(_compiled(scalar) for scalar in shape.scalars)

    def check(value: Any) -> Any:
        if group is not None and (type(value) is dict or not scalars):
            return group(value)
        first: Refused | None = None
        for scalar in scalars:
            try:
                return scalar(value)
            except Refused as refused:
                first = first or refused
        raise first or Refused("Invalid object")

    return check


def _unsettable(shape: Shape) -> Check:
    inner = _compiled(shape)

    def check(value: Any) -> Any:
        return None if value == "" else inner(value)

    return check


# Names nobody knows


def _unknown_parameters(names: list[str]) -> StripeError:
    plural = "s" if len(names) > 1 else ""
    message = f"Received unknown parameter{plural}: {', '.join(names)}"
    return invalid(message, code="parameter_unknown", param=names[0])


def _unknown(shape: Shape, value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    match shape:
        case Unsettable():
            yield from _unknown(shape.shape, value, path)
        case Either(group=Object() as group):
            yield from _unknown(group, value, path)
        case Object() if type(value) is dict:
            for name, inner in value.items():
                if name in shape.fields:
                    yield from _unknown(shape.fields[name], inner, (*path, name))
                else:
                    yield (*path, name)
        case Map() if type(value) is dict:
            for name, inner in value.items():
                yield from _unknown(shape.item, inner, (*path, name))
        case Array() if type(value) in (list, dict):
            items = value.items() if type(value) is dict else enumerate(value)
            for index, inner in items:
                yield from _unknown(shape.item, inner, (*path, str(index)))
