"""What of Stripe's objects can be expanded, and to what."""

from __future__ import annotations

import ast
from functools import cache
from typing import TYPE_CHECKING

from paydesk.emulator.kernel.contract import source

if TYPE_CHECKING:
    from collections.abc import Iterator


@cache
def expandable(object_name: str) -> dict[str, tuple[str, ...]]:
    """The fields that hold an id and can be expanded, dotted where they nest, each with the objects it may become.

    Raises:
        KeyError: the SDK knows no such object.
    """
    module, class_ = _class_of(object_name)
    return dict(_expandable_in(class_, _object_names_in(module), ""))


def _class_of(object_name: str) -> tuple[ast.Module, ast.ClassDef]:
    module_name, class_name = source.object_classes()[object_name]
    module = source.tree(module_name)
    return module, next(part for part in module.body if isinstance(part, ast.ClassDef) and part.name == class_name)


def _annotated(class_: ast.ClassDef) -> Iterator[tuple[str, ast.expr]]:
    for statement in class_.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and statement.value is None:
            yield statement.target.id, statement.annotation


def _object_names_in(module: ast.Module) -> dict[str, str]:
    """Of each class the module speaks of, the object's name on the wire."""
    wire = {place: name for name, place in source.object_classes().items()}
    own = {(place[1]): name for place, name in wire.items()}
    names = {part.name: own[part.name] for part in module.body if isinstance(part, ast.ClassDef) and part.name in own}
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                if (node.module, alias.name) in wire:
                    names[alias.asname or alias.name] = wire[node.module, alias.name]
    return names


def _expandable_in(class_: ast.ClassDef, names: dict[str, str], prefix: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    nested = {part.name: part for part in class_.body if isinstance(part, ast.ClassDef)}
    for field, annotation in _annotated(class_):
        own = prefix + field
        for node in _parts(annotation):
            match node:
                case ast.Subscript(value=ast.Name(id="ExpandableField"), slice=target):
                    classes = [part.id for part in _parts(target) if isinstance(part, ast.Name)]
                    yield own, tuple(names[name] for name in classes if name in names)
                case ast.Name(id=name) if name in nested:
                    yield from _expandable_in(nested[name], names, own + ".")


def _parts(annotation: ast.expr) -> Iterator[ast.AST]:
    """Everything in an annotation, into the strings that hold further ones."""
    for node in ast.walk(source.opened(annotation)):
        yield node
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
            yield source.opened(node)
