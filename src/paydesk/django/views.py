"""The desk's routes as Django's views.

They are plain functions. No token of Django's guards their forms: whether a form came from the shop's own pages is seen
in what every browser says of it, and the webhook is for Stripe, which signs it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.db import DEFAULT_DB_ALIAS, transaction
from django.http import HttpResponse, HttpResponseNotAllowed
from django.views.decorators.csrf import csrf_exempt

from paydesk.billing.web.routes import Asked, Route, read_up_to, routes_of
from paydesk.django import wiring
from paydesk.django.lazy import lazy
from paydesk.django.owners import owner

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest

    from paydesk.billing.desk import Paydesk
    from paydesk.billing.web.answers import Answer

    View = Callable[..., HttpResponse]


def view_of(name: str) -> View:
    """The view of the desk's route of this name. The desk is made when it is first asked."""

    def view(request: HttpRequest) -> HttpResponse:
        route = _routes(lazy.itself())[name]
        if request.method not in _methods(route):
            return HttpResponseNotAllowed(sorted(_methods(route)))
        body = read_up_to(route.body_bytes_max, request.headers.get("content-length"), request.read)
        user = owner(request) if route.is_for_people else None
        query = str(request.META.get("QUERY_STRING", ""))
        return answered(route.answer(Asked(request.method, request.headers, query, body, user)), request)

    view.__name__ = f"paydesk_{name}"
    # The desk commits on its own: a view that fails afterwards takes nothing back.
    for alias in {DEFAULT_DB_ALIAS, wiring.alias()}:
        view = transaction.non_atomic_requests(using=alias)(view)
    return csrf_exempt(view)


def answered(answer: Answer, request: HttpRequest) -> HttpResponse:
    """An answer of the desk's, as Django gives it."""
    headers: dict[str, Any] = {**answer.headers, "Content-Length": str(len(answer.body))}
    return HttpResponse(b"" if request.method == "HEAD" else answer.body, status=answer.status, headers=headers)


@lru_cache(maxsize=1)
def _routes(desk: Paydesk) -> dict[str, Route]:
    return {route.name: route for route in routes_of(desk)}


def _methods(route: Route) -> set[str]:
    return {*route.methods, "HEAD"} if "GET" in route.methods else {*route.methods}
