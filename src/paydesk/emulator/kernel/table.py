"""The table of endpoints: from a method and a path to the route that answers it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from paydesk.emulator.kernel.routes import Route


@dataclass(frozen=True)
class _Template:
    parts: tuple[str, ...]
    names: tuple[str | None, ...]
    route: Route


class Table:
    """Routes by method and path; a path spelled out wins over one with an id in that place."""

    def __init__(self) -> None:
        self._exact: dict[tuple[str, str], Route] = {}
        self._templates: dict[tuple[str, int], list[_Template]] = {}

    def add(self, route: Route) -> None:
        """Take a route in."""
        if "{" not in route.path:
            self._exact[(route.method, route.path)] = route
            return
        parts = tuple(route.path.split("/"))
        names = tuple(part[1:-1] if part.startswith("{") else None for part in parts)
        self._templates.setdefault((route.method, len(parts)), []).append(_Template(parts, names, route))

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """The route, and the ids its path holds; None when no route is there."""
        exact = self._exact.get((method, path))
        if exact is not None:
            return exact, {}
        parts = path.split("/")
        for template in self._templates.get((method, len(parts)), ()):
            values: dict[str, str] = {}
            for part, expected, name in zip(parts, template.parts, template.names, strict=True):
                if name is not None and part:
                    values[name] = part
                elif part != expected:
                    break
            else:
                return template.route, values
        return None

    def routes(self) -> list[Route]:
        """All of them."""
        return [*self._exact.values(), *(t.route for templates in self._templates.values() for t in templates)]
