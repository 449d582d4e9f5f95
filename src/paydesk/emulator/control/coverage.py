"""`GET /_local/coverage`: which of Stripe's URLs are modelled, and what becomes of each of their parameters."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from paydesk.emulator.control.door import answer
from paydesk.emulator.kernel import contract
from paydesk.emulator.kernel.contract.shapes import Array, Either, Map, Object, Shape, Unsettable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request
    from starlette.responses import Response

    from paydesk.emulator.control.door import Door
    from paydesk.emulator.kernel.kernel import Kernel
    from paydesk.emulator.kernel.routes import Route as ApiRoute


def routes(door: Door) -> list[Route]:
    shown = cache(lambda: coverage(door.kernel))

    async def read(request: Request) -> Response:
        return answer(shown())

    return [Route("/coverage", read)]


def coverage(kernel: Kernel) -> dict[str, Any]:
    """What is modelled of all that the installed SDK knows. Reading it all takes a moment."""
    modelled = {(route.method, route.path): route for route in kernel.table.routes() if route.is_listed}
    known = contract.known_paths()
    return {
        "api_version": kernel.api_version,
        "modelled": len(modelled),
        "known": len(known),
        "routes": [
            {"method": route.method, "path": route.path, "parameters": _parameters(route)}
            for route in sorted(modelled.values(), key=lambda route: (route.path, route.method))
        ],
        "not_modelled": sorted(
            f"{path.method} {path.template}" for path in known if (path.method, path.template) not in modelled
        ),
    }


def _parameters(route: ApiRoute) -> dict[str, Any]:
    operation = contract.operation(route.method, route.path)
    used, refused, idle = [], {}, []
    for name in dict.fromkeys(_names(operation.params, "")) if operation is not None else ():
        covering = route.covering(name)
        if covering is None:
            idle.append(name)
        elif covering in route.refuses:
            refused[name] = route.refuses[covering]
        else:
            used.append(name)
    return {"used": used, "refused": refused, "without_effect": idle}


def _names(shape: Shape, name: str) -> Iterator[str]:
    """The dotted names of everything that may be sent."""
    match shape:
        case Unsettable(shape=inner) | Array(item=inner):
            yield from _names(inner, name)
        case Map(item=inner):
            yield from _names(inner, f"{name}.*")
        case Either(group=Object() as group, scalars=scalars):
            if scalars:
                yield name
            yield from _names(group, name)
        case Object(fields=fields):
            for field, inner in fields.items():
                yield from _names(inner, f"{name}.{field}" if name else field)
        case _:
            yield name
