"""The SDK's source files: where they are, and how their modules are read without importing them."""

from __future__ import annotations

import ast
import importlib.util
import re
from functools import cache
from pathlib import Path

_NAMED_CLASS = re.compile(r'"([\w.]+)": \(\s*"(stripe[\w.]*)",\s*"(\w+)",?\s*\)')


@cache
def folder() -> Path:
    """Where the installed SDK lives.

    Raises:
        RuntimeError: it is not installed.
    """
    found = importlib.util.find_spec("stripe")
    if found is None or found.origin is None:
        raise RuntimeError("The local Stripe reads its contract from the stripe package: pip install 'paydesk[local]'")
    return Path(found.origin).parent


def text(module: str) -> str:
    """The source of a module of the SDK, such as `stripe.params._refund_create_params`."""
    return folder().joinpath(*module.split(".")[1:]).with_suffix(".py").read_text(encoding="utf-8")


def tree(module: str) -> ast.Module:
    return ast.parse(text(module))


@cache
def object_classes() -> dict[str, tuple[str, str]]:
    """Of each object that answers to a name on the wire (`checkout.session`): its module and its class."""
    return {name: (module, class_) for name, module, class_ in _NAMED_CLASS.findall(text("stripe._object_classes"))}


def opened(annotation: ast.expr) -> ast.expr:
    """An annotation written as a string, as the expression it is."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return ast.parse(annotation.value, mode="eval").body
    return annotation


def arguments(annotation: ast.Subscript) -> list[ast.expr]:
    """What stands between the brackets of `List[...]`, `Union[...]`."""
    return annotation.slice.elts if isinstance(annotation.slice, ast.Tuple) else [annotation.slice]
