"""The desk's routes as a Flask blueprint, and its gates as decorators. What an app holds is `paydesk.flask.Desk`."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode

from flask import Blueprint, Response, current_app, request
from werkzeug.exceptions import RequestEntityTooLarge

from paydesk.billing.web.routes import Asked, routes_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from paydesk.billing.customers import Payer
    from paydesk.billing.desk import Paydesk
    from paydesk.billing.web.answers import Answer
    from paydesk.billing.web.gates import Gate
    from paydesk.billing.web.routes import Route

    FindUser = Callable[[], Payer | None]
    View = Callable[..., Any]

NAME = "paydesk"


def build_blueprint(desk: Paydesk, find_user: FindUser | None) -> Blueprint:
    """The routes of this desk, below its prefix. Their endpoints are "paydesk.pricing" and so on."""
    blueprint = Blueprint(NAME, __name__)
    for route in routes_of(desk):
        blueprint.add_url_rule(route.path, route.name, _view(route, find_user), methods=[*route.methods])
    return blueprint


def gated(view: View, gate: Callable[[], Gate], find_user: Callable[[], FindUser | None]) -> View:
    """The view, for those whom the gate lets pass."""

    @wraps(view)
    def passing(*arguments: Any, **values: Any) -> Any:
        find = find_user()
        shut = gate().shut_for(find() if find is not None else None)
        if shut is not None:
            return _response(gate().answer(shut, _headers()))
        return current_app.ensure_sync(view)(*arguments, **values)

    return passing


def _view(route: Route, find_user: FindUser | None) -> View:
    def answer() -> Response:
        body = _body(route.body_bytes_max) if route.body_bytes_max else b""
        user = find_user() if find_user is not None and route.is_for_people else None
        query = request.query_string.decode("latin-1")
        return _response(route.answer(Asked(request.method, _headers(), query, body, user)))

    return answer


def _body(bytes_max: int) -> bytes | None:
    """The raw body, or None when it is larger than it may be, whatever limit the app has for its own."""
    request.max_content_length = bytes_max
    try:
        body = request.get_data()
    except RequestEntityTooLarge:
        return None
    if not body and (form := vars(request).get("form")):
        # Something of the app's has looked at the form before us, as guards against forgery do, and used it up.
        return urlencode([*form.items(multi=True)]).encode()
    return body


def _headers() -> Mapping[str, str]:
    """Looked up by names in any case, which is what is asked of them."""
    return cast("Mapping[str, str]", request.headers)


def _response(answer: Answer) -> Response:
    return Response(answer.body, answer.status, {**answer.headers})
