"""Where Django keeps its database, as a URL for the desk's own connections.

The desk does not borrow Django's connection: what it commits (a webhook, a promise made before Stripe is asked) must
not depend on whether a view's transaction is kept in the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.utils.connection import ConnectionDoesNotExist
from sqlalchemy import URL, make_url

from paydesk.errors import ConfigurationError

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

# What Django hands over to its own driver as objects, and we to ours by other means.
_OF_DJANGO = ("context", "cursor_factory", "prepare_threshold")
_NAMED = {"dbname": "database", "host": "host", "password": "password", "user": "username"}


def url_of(alias: str) -> str:
    """The URL of DATABASES[alias], with its password. Raises ConfigurationError for an engine we do not know."""
    try:
        connection = connections[alias]
        if connection.vendor == "sqlite":
            return _sqlite(str(connection.settings_dict["NAME"]))
        if connection.vendor == "postgresql":
            return _postgresql(connection).render_as_string(hide_password=False)
    except (ImproperlyConfigured, ConnectionDoesNotExist) as error:
        raise ConfigurationError([str(error)]) from error
    engine = connection.settings_dict["ENGINE"]
    mistake = f"DATABASES[{alias!r}] is {engine}, and paydesk keeps its tables in SQLite or PostgreSQL."
    raise ConfigurationError([f"{mistake} Name another alias as DATABASE."])


def file_of(alias: str) -> object:
    """What tells one database from another while an alias may be moved, as test runners do."""
    settings = connections.settings[alias]
    return settings["ENGINE"], str(settings["NAME"]), settings.get("HOST"), settings.get("PORT")


def _sqlite(name: str) -> str:
    if not name.startswith("file:"):
        return f"sqlite:///{name}"
    url = make_url(f"sqlite:///{name}")
    return url.update_query_dict({"uri": "true"}).render_as_string()


def _postgresql(connection: BaseDatabaseWrapper) -> URL:
    params: dict[str, Any] = {**connection.get_connection_params()}
    for name in _OF_DJANGO:
        params.pop(name, None)
    if role := connection.settings_dict["OPTIONS"].get("assume_role"):
        params["options"] = f"{params.get('options', '')} -c role={role}".strip()
    # A folder with a socket in it is no host that a URL could have.
    socket = {"host": params.pop("host")} if str(params.get("host", "")).startswith("/") else {}
    named = {ours: str(params.pop(theirs)) for theirs, ours in _NAMED.items() if theirs in params}
    port = params.pop("port", None)
    return URL.create(
        "postgresql",
        port=int(port) if port else None,
        query={name: str(value) for name, value in {**params, **socket}.items()},
        **named,
    )
