"""The shortcut: while an app runs, its router meets the webhook's route before any other.

FastAPI tries its documentation's routes before it and asks an included router twice, which costs several times what
checking a signature does. The same route at the front of the same router is found at once; the app's middleware,
exception handlers and body limit are around it as they were. Where somebody could tell the difference, nothing is
changed: behind a route of the app that may want the same path, or below a limit that is the included router's alone.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import Route

from paydesk.billing.web.webhook import Webhook

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fastapi.routing import RouteContext
    from starlette.routing import BaseRoute

    from paydesk.billing.desk import Paydesk


@contextmanager
def shortcut(app: object, desk: Paydesk) -> Iterator[None]:
    """Until the block ends, the app's router tries the desk's webhook first, if it includes the desk's router."""
    if not isinstance(app, FastAPI) or (route := _direct(app, desk)) is None:
        yield
        return
    app.routes.insert(0, route)
    try:
        yield
    finally:
        app.routes.remove(route)


def _direct(app: FastAPI, desk: Paydesk) -> Route | None:
    """The webhook's route with its whole path, unless trying it first could change anything."""
    earlier: list[RouteContext] = []
    for candidate in app.routes:
        for found in iter_route_contexts([candidate]):
            webhook, path = found.endpoint, found.path or ""
            if not isinstance(webhook, Webhook) or webhook.desk is not desk:
                earlier.append(found)
            elif _is_plainly_included(found.original_route, candidate) and not _is_wanted(path, earlier):
                return Route(path, webhook, methods=["POST"], name=found.name)
            else:
                return None
    return None


def _is_plainly_included(route: BaseRoute, candidate: object) -> bool:
    """Whether the candidate is the router this route was made in, included with nothing but a prefix."""
    router, context = getattr(candidate, "original_router", None), getattr(candidate, "include_context", None)
    return router is not None and route in router.routes and context is not None and context.max_body_size is None


def _is_wanted(path: str, routes: Iterable[RouteContext]) -> bool:
    """Whether one of them might match; one that does not tell by what pattern, such as a host's, might."""
    patterns = [getattr(route, "path_regex", None) for route in routes]
    return any(pattern is None or pattern.match(path) for pattern in patterns)
