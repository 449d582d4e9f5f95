"""paydesk for Flask.

    desk = Desk(user=current_user)               # where your other extensions are made

    def create_app():
        app = Flask(__name__)
        desk.init_app(app)                       # Secrets from app.config, or else from the environment
        return app

    @desk.on(OrderPaid)                          # runs in the app's context
    def deliver(paid, db): ...

    @app.get("/export")
    @desk.require("export")                      # below the route
    def export(): ...

`desk.checkout`, `desk.subscription` and all other verbs are those of the current app's `Paydesk`.
"""

from __future__ import annotations

import inspect
import os
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakSet

import click
from flask import Flask, current_app
from flask.cli import with_appcontext

from paydesk.billing.counter import Counter
from paydesk.billing.desk import Paydesk
from paydesk.billing.inbox.handlers import Handlers
from paydesk.billing.settings import Settings
from paydesk.billing.truth.truthful import Truthful
from paydesk.billing.web.flask import NAME, build_blueprint, gated
from paydesk.billing.web.gates import Gate
from paydesk.billing.web.serving import Serving
from paydesk.cli import Lazy
from paydesk.cli.desks import Host

if TYPE_CHECKING:
    from collections.abc import Callable

    import stripe

    from paydesk.billing.catalog import Catalog
    from paydesk.billing.customers import Payer
    from paydesk.billing.facts import Fact
    from paydesk.billing.inbox.receive import Receipt
    from paydesk.billing.store.store import Store
    from paydesk.billing.web.flask import FindUser
    from paydesk.billing.web.pages import Pages

__all__ = ["Desk"]

Handle = TypeVar("Handle", bound="Callable[..., Any]")
Find = TypeVar("Find", bound="FindUser")


class Desk(Counter, Truthful):
    """The extension: one for all apps of a process, each of which has a `Paydesk` of its own.

    `user` finds out who is asking: a function that answers the app's user (anything with `id` and `email`) or None. The
    other options are those of Paydesk, and `init_app` takes them too, for one app.
    """

    if TYPE_CHECKING:
        settings: Settings
        prefix: str
        pages: Pages
        store: Store
        stripe: stripe.StripeClient

        def receive(self, body: bytes, header: str | None) -> Receipt: ...
        def work(self) -> None: ...
        def start(self, *, lane_threads: int = ..., effect_threads: int = ...) -> None: ...
        def stop(self) -> None: ...
        def close(self) -> None: ...

    else:

        def __getattr__(self, name: str) -> Any:
            return getattr(self.current, name)

    def __init__(self, app: Flask | None = None, *, user: FindUser | None = None, **options: Any) -> None:
        self._find_user = user
        self._options = options
        self._registered: list[tuple[type[Fact] | str, Callable[..., Any]]] = []
        self._gates: set[str] = set()
        self._known = Handlers()
        self._apps: WeakSet[Flask] = WeakSet()
        if app is not None:
            self.init_app(app)

    def init_app(
        self, app: Flask, *, settings: Settings | None = None, catalog: Catalog | None = None, **options: Any
    ) -> Paydesk:
        """Give the app its desk: routes, commands and, from its first request on, the worker. Answers the desk.

        Secrets are read from `app.config`, or else from the environment, unless `settings` are given; PAYDESK_NAME and
        PAYDESK_PREFIX go there too. Templates in the app's own `templates/paydesk` go before ours. Under TESTING no
        worker is started: call `desk.work()`. Raises ConfigurationError, CatalogError or UnknownFeature.
        """
        configured = {name: app.config[key] for name, key in OPTIONS.items() if key in app.config}
        told = {"templates": _templates(app), **configured, **self._options, **options}
        if catalog is not None:
            told["catalog"] = catalog
        paydesk = Paydesk(settings or Settings.read(_secrets(app)), **told)
        for code in self._gates:
            paydesk.check_gate(code)
        for topic, handle in self._registered:
            paydesk.on(topic)(_in_context(app, handle))
        app.extensions[NAME] = paydesk
        self._apps.add(app)
        app.register_blueprint(build_blueprint(paydesk, self._user))
        app.cli.add_command(commands)
        serving = Serving(paydesk)
        app.before_request(partial(_serve, app, serving))
        return paydesk

    @property
    def current(self) -> Paydesk:
        """The desk of the current app."""
        paydesk: Paydesk = current_app.extensions[NAME]
        return paydesk

    def user(self, find: Find) -> Find:
        """Name the function that finds out who is asking: `@desk.user`."""
        self._find_user = find
        return find

    def on(self, topic: type[Fact] | str) -> Callable[[Handle], Handle]:
        """Register a handler for a fact or for Stripe's events, in every app; see Paydesk.on.

        It runs in the app's context. One that is made within an app's factory goes on what `init_app` answers instead.
        Raises HandlerRefused.
        """

        def register(handle: Handle) -> Handle:
            self._known.add(topic, handle)
            self._registered.append((topic, handle))
            for app in self._apps:
                app.extensions[NAME].on(topic)(_in_context(app, handle))
            return handle

        return register

    def require(self, code: str, *, user: FindUser | None = None) -> Callable[[Handle], Handle]:
        """Let only those see a view whose plan allows `code`: `@desk.require("pro")`, below the route.

        Whoever is not signed in gets a 401. Whose plan is on hold gets a 402, or in a browser the account page; who has
        no such plan gets a 403, or in a browser the pricing page. An app whose catalog has no such code does not start:
        UnknownFeature.
        """
        self._gates.add(code)
        for app in self._apps:
            app.extensions[NAME].check_gate(code)

        def around(view: Handle) -> Handle:
            return gated(view, lambda: Gate(self.current, code), lambda: user or self._find_user)  # type: ignore[return-value]  # wraps() keeps what a view is

        return around

    def open(self) -> None:
        """Bring the tables of the current app up to date; see Paydesk.open."""
        self.current.open()

    def _user(self) -> Payer | None:
        return self._find_user() if self._find_user is not None else None


@click.group(NAME, cls=Lazy)
@with_appcontext
@click.pass_context
def commands(context: click.Context) -> None:
    """Stripe's events, handlers, sync, verify, worker, at the desk of this app."""
    context.obj = Host(lambda: current_app.extensions[NAME], migrate="flask paydesk migrate")


OPTIONS = {"name": "PAYDESK_NAME", "prefix": "PAYDESK_PREFIX"}


def _secrets(app: Flask) -> dict[str, str]:
    """The environment's, and the config's before them, which may say True and 35 where a variable says "1" and "35"."""
    secrets = dict(os.environ)
    for name, value in app.config.items():
        if isinstance(value, bool):
            secrets[name] = str(int(value))
        elif isinstance(value, str | int | Path):
            secrets[name] = str(value)
    return secrets


def _templates(app: Flask) -> Path | None:
    folder = Path(app.root_path, app.template_folder or "templates", "paydesk")
    return folder if folder.is_dir() else None


def _serve(app: Flask, serving: Serving) -> None:
    if not app.testing:
        serving.on_request()


def _in_context(app: Flask, handle: Callable[..., Any]) -> Callable[..., Any]:
    """The handler, as it would run in a command of this app."""
    if inspect.iscoroutinefunction(handle):

        @wraps(handle)
        async def waiting(*arguments: Any, **values: Any) -> Any:
            with app.app_context():
                return await handle(*arguments, **values)

        return waiting

    @wraps(handle)
    def running(*arguments: Any, **values: Any) -> Any:
        with app.app_context():
            return handle(*arguments, **values)

    return running
