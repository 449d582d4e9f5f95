"""The contract suite's app, in Flask."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import Flask, jsonify, request

from paydesk import Paydesk, User
from paydesk.flask import Desk
from tests.contracts.web.app import BASE_URL, Reply, Wiring

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flask import Response
    from flask.testing import FlaskClient


class FlaskApp:
    """An app of a few lines, in process."""

    def __init__(self, desk: Paydesk, client: FlaskClient) -> None:
        self.desk = desk
        self._client = client

    def ask(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        parts = urlsplit(target)
        answer = self._client.open(
            parts.path, method=method, query_string=parts.query, headers={**headers}, data=body, base_url=BASE_URL
        )
        return Reply(answer.status_code, {name.lower(): value for name, value in answer.headers}, answer.data)

    def reason(self, reply: Reply) -> Mapping[str, Any]:
        """As the desk's own routes refuse."""
        told = reply.json()
        return {**told, **told["error"]}


@contextmanager
def opened(wiring: Wiring) -> Iterator[FlaskApp]:
    app = Flask(__name__)
    app.config.update(wiring.secrets)
    desk = Desk(user=current_user, **wiring.options)
    paydesk = desk.init_app(app, catalog=wiring.catalog)

    @app.get("/export")
    @desk.require("export")
    def export() -> Response:
        user = current_user()
        return jsonify({"for": user.id if user else None})

    yield FlaskApp(paydesk, app.test_client(use_cookies=False))
    paydesk.close()


def current_user() -> User | None:
    name = request.cookies.get("user")
    return User(name, f"{name}@example.com") if name else None
