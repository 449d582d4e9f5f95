"""The URLs Stripe has: every path its SDK can call, and which of them a request means."""

from __future__ import annotations

import re
from functools import cache
from typing import Final, NamedTuple

from paydesk.emulator.kernel.contract import source

# Parsing all services takes five times as long as this scan; the tests hold it against a parse.
_CALL: Final = re.compile(r'self\._request(?:_stream)?\(\s*"(\w+)",\s*"(/v1/[^"]+)"')
_PARAMS: Final = re.compile(r'params: (?:Optional\[\s*)?"(\w+)"')
_IMPORT: Final = re.compile(r"from (stripe\.params[\w.]*) import (\([^)]*\)|\w+)")
_WORD: Final = re.compile(r"\w+")


class Path(NamedTuple):
    """A URL as the SDK knows it; `params` is the class that types its parameters, if it takes any."""

    method: str
    template: str
    module: str | None
    params: str | None


class Match(NamedTuple):
    """The URL a request means: its template, and the ids that stand in the placeholders."""

    template: str
    ids: dict[str, str]


@cache
def known_paths() -> tuple[Path, ...]:
    """Every v1 URL of the SDK, once each."""
    found: dict[tuple[str, str], Path] = {}
    for file in sorted(source.folder().rglob("*_service.py")):
        for path in _paths_in(file.read_text(encoding="utf-8")):
            found.setdefault((path.method, path.template), path)
    return tuple(found.values())


@cache
def by_url() -> dict[tuple[str, str], Path]:
    """The known paths by method and template."""
    return {(path.method, path.template): path for path in known_paths()}


def match(method: str, path: str) -> Match | None:
    """The known URL a request means, or None where Stripe has nothing either."""
    parts = path.split("/")
    for template in _by_size().get((method.upper(), len(parts)), ()):
        ids: dict[str, str] = {}
        for wanted, part in zip(template, parts, strict=True):
            if wanted[:1] == "{" and part:
                ids[wanted[1:-1]] = part
            elif wanted != part:
                break
        else:
            return Match("/".join(template), ids)
    return None


@cache
def _by_size() -> dict[tuple[str, int], tuple[tuple[str, ...], ...]]:
    """Templates in parts, by method and number of parts; the literal before the placeholder it would also fit."""
    grouped: dict[tuple[str, int], list[tuple[str, ...]]] = {}
    for path in known_paths():
        parts = tuple(path.template.split("/"))
        grouped.setdefault((path.method, len(parts)), []).append(parts)
    return {
        key: tuple(sorted(templates, key=lambda parts: [part[:1] == "{" for part in parts]))
        for key, templates in grouped.items()
    }


def _paths_in(text: str) -> list[Path]:
    modules = {name: module for module, names in _IMPORT.findall(text) for name in _WORD.findall(names) if name != "as"}
    paths = []
    for call in _CALL.finditer(text):
        typed = _PARAMS.search(text, text.rfind("\n    def ", 0, call.start()), call.start())
        params = typed[1] if typed else None
        module = modules[params] if params else None
        paths.append(Path(call[1].upper(), call[2], module, params))
    return paths
