"""A gate before a view of the project's own.

    @require("pro")
    def drafts(request): ...

Whoever is not signed in gets a 401; whose plan is on hold a 402, or in a browser the account page; who has no such plan
a 403, or in a browser the pricing page.
"""

from __future__ import annotations

from functools import wraps
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, TypeVar, cast

from asgiref.sync import sync_to_async

from paydesk.billing.web.gates import Gate
from paydesk.django.lazy import desk
from paydesk.django.owners import owner
from paydesk.django.views import answered

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

V = TypeVar("V", bound="Callable[..., Any]")

# What is asked for at the project's gates: `manage.py check` finds those that no plan could ever open.
required: set[str] = set()


def require(code: str) -> Callable[[V], V]:
    """Let only those pass whose plan allows `code`. Raises UnknownFeature at the first request."""
    required.add(code)

    def refusal(request: HttpRequest) -> HttpResponse | None:
        gate = Gate(desk, code)
        shut = gate.shut_for(owner(request))
        return answered(gate.answer(shut, request.headers), request) if shut is not None else None

    def guarded(view: V) -> V:
        if iscoroutinefunction(view):

            @wraps(view)
            async def waiting(request: HttpRequest, *arguments: Any, **named: Any) -> Any:
                return await sync_to_async(refusal)(request) or await view(request, *arguments, **named)

            return cast("V", waiting)

        @wraps(view)
        def passing(request: HttpRequest, *arguments: Any, **named: Any) -> Any:
            return refusal(request) or view(request, *arguments, **named)

        return cast("V", passing)

    return guarded
