"""Operations: what may be sent to a URL, as the SDK's parameter types say."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from paydesk.emulator.kernel.contract import limits, source
from paydesk.emulator.kernel.contract.paths import by_url
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

if TYPE_CHECKING:
    from collections.abc import Iterator

_SCALARS: Final[dict[str, Shape]] = {
    "str": Text(),
    "int": Integer(),
    "bool": Boolean(),
    "float": Number(),
    "Decimal": Decimal(),
}
_EXPAND: Final = Array(Text())

# Stripe takes these; the SDK's types leave them out: raw cards, because servers should not see them, and the client
# secret, because only browsers send it.
_RAW_CARD_HOLDER: Final = re.compile("(Payment|Setup)Intent(Create|Update|Confirm)ParamsPaymentMethodData")
_RAW_CARD: Final = ("stripe.params._payment_method_create_params", "PaymentMethodCreateParamsCard")
_CONFIRM: Final = ("PaymentIntentConfirmParams", "SetupIntentConfirmParams")


@dataclass(frozen=True, eq=False)
class Operation:
    """A URL with a method, and the shape of its parameters."""

    method: str
    template: str
    params: Object


@cache
def operation(method: str, template: str) -> Operation | None:
    """What the SDK knows of a URL, or None where it knows none. Read at the first call, then kept."""
    path = by_url().get((method.upper(), template))
    if path is None:
        return None
    params = Object()
    if path.module is not None and path.params is not None:
        params = _Module(path.module).object(path.params)
    fields = {**params.fields, "expand": _EXPAND}
    return Operation(path.method, template, Object(fields, params.required))


@dataclass(frozen=True)
class _Field:
    name: str
    annotation: ast.expr
    doc: str


class _Module:
    """The parameter types of one module of the SDK."""

    def __init__(self, name: str) -> None:
        self.classes: dict[str, ast.ClassDef] = {}
        self.functional: dict[str, ast.Dict] = {}
        self.read: dict[str, Object] = {}
        for statement in source.tree(name).body:
            match statement:
                case ast.ClassDef():
                    self.classes[statement.name] = statement
                # TypedDict("X", {...}): how names that are Python's own words (`from`, `in`) are typed.
                case ast.Assign(targets=[ast.Name(id=own)], value=ast.Call(args=[_, ast.Dict() as names])):
                    self.functional[own] = names

    def object(self, class_: str) -> Object:
        if class_ not in self.read:
            fields: dict[str, Shape] = {}
            required = set()
            for one in self._fields(self.classes[class_]):
                annotation, is_required = _without_not_required(one.annotation)
                fields[one.name] = self._shape(annotation, class_, one, is_required=is_required)
                if is_required:
                    required.add(one.name)
            fields.update(_left_out(class_, fields))
            self.read[class_] = Object(fields, frozenset(required))
        return self.read[class_]

    def _fields(self, class_: ast.ClassDef) -> Iterator[_Field]:
        for base in class_.bases:
            names = self.functional.get(base.id) if isinstance(base, ast.Name) else None
            if names is not None:
                for key, annotation in zip(names.keys, names.values, strict=True):
                    if isinstance(key, ast.Constant):
                        yield _Field(str(key.value), annotation, "")
        for at, statement in enumerate(class_.body):
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                yield _Field(statement.target.id, statement.annotation, _doc_after(class_.body, at))

    def _shape(self, annotation: ast.expr, class_: str, one: _Field, *, is_required: bool) -> Shape:
        """The shape of a field: what its alternatives come to, and the limits its types do not state."""
        shape = self._alternatives(annotation)
        is_unsettable = isinstance(shape, Unsettable)
        if isinstance(shape, Unsettable):
            shape = shape.shape
        if isinstance(shape, Map) and one.name == "metadata":
            return Unsettable(Metadata())
        if isinstance(shape, Text):
            shape = Text(limits.length_max(class_, one.name, one.doc))
            is_unsettable = is_unsettable or limits.takes_empty(class_, one.name, is_required=is_required)
        elif isinstance(shape, Array):
            shape = Array(shape.item, limits.items_max(class_, one.name))
        return Unsettable(shape) if is_unsettable else shape

    def _alternatives(self, annotation: ast.expr) -> Shape:
        is_unsettable = False
        choices: list[str] = []
        groups: list[Object] = []
        found: list[Shape] = []
        for one in _members(annotation):
            literals = _literals(one)
            is_unsettable = is_unsettable or "" in literals
            choices += [value for value in literals if value]
            shape = None if literals else self._one(one)
            if isinstance(shape, Object):
                groups.append(shape)
            elif shape is not None and shape not in found:
                found.append(shape)
        if choices:
            # Next to words, `str` is only how the SDK says that words may be added.
            is_open = Text() in found
            found = [shape for shape in found if shape != Text()]
            found.append(Choice(limits.in_order(tuple(choices)), is_open))
        shape = _joined(groups, found)
        return Unsettable(shape) if is_unsettable else shape

    def _one(self, annotation: ast.expr) -> Shape | None:
        match annotation:
            case ast.Name(id=name) if name in _SCALARS:
                return _SCALARS[name]
            case ast.Name(id=name) if name in self.classes:
                return self.object(name)
            case ast.Subscript(value=ast.Name(id="List")):
                return Array(self._alternatives(source.arguments(annotation)[0]))
            case ast.Subscript(value=ast.Name(id="Dict")):
                return Map(self._alternatives(source.arguments(annotation)[1]))
            case ast.Subscript(value=ast.Name(id="UntypedStripeObject")) | ast.Constant(value=None):
                return None
            case _:
                return Anything()


def _joined(groups: list[Object], scalars: list[Shape]) -> Shape:
    if groups and (scalars or len(groups) > 1):
        fields = {name: shape for group in reversed(groups) for name, shape in group.fields.items()}
        required = frozenset.intersection(*(group.required for group in groups))
        return Either(Object(fields, required), tuple(scalars))
    if groups:
        return groups[0]
    if len(scalars) > 1:
        return Either(None, tuple(scalars))
    return scalars[0] if scalars else Choice(())


def _members(annotation: ast.expr) -> Iterator[ast.expr]:
    """The alternatives of a union, however it is spelled."""
    match source.opened(annotation):
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            yield from _members(left)
            yield from _members(right)
        case ast.Subscript(value=ast.Name(id="Union" | "Optional")) as union:
            for one in source.arguments(union):
                yield from _members(one)
        case one:
            yield one


def _literals(annotation: ast.expr) -> list[str]:
    match annotation:
        case ast.Subscript(value=ast.Name(id="Literal")):
            return [str(value.value) for value in source.arguments(annotation) if isinstance(value, ast.Constant)]
    return []


def _without_not_required(annotation: ast.expr) -> tuple[ast.expr, bool]:
    match source.opened(annotation):
        case ast.Subscript(value=ast.Name(id="NotRequired"), slice=inner):
            return inner, False
        case other:
            return other, True


def _doc_after(body: list[ast.stmt], at: int) -> str:
    match body[at + 1 : at + 2]:
        case [ast.Expr(value=ast.Constant(value=str(doc)))]:
            return doc
    return ""


def _left_out(class_: str, fields: dict[str, Shape]) -> dict[str, Shape]:
    if class_ in _CONFIRM:
        return {"client_secret": Text()}
    if _RAW_CARD_HOLDER.fullmatch(class_):
        module, card = _RAW_CARD
        kinds = fields["type"]
        values = kinds.values if isinstance(kinds, Choice) else ()
        return {"card": _Module(module).object(card), "type": Choice(("card", *values), is_open=True)}
    return {}
