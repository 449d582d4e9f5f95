"""dj-stripe under gunicorn, set as fast as it goes: connections kept open, no middleware, no debugging.

It runs in an environment of its own, and shares nothing with us but the database server and the stand-in for Stripe.
"""

from __future__ import annotations

import json
import sys
from typing import Any
from urllib.parse import urlsplit

import django
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from gunicorn.app.base import BaseApplication

# It takes no key that is shorter.
LETTERS = "load" * 6
ENDPOINT = "11111111-2222-3333-4444-555555555555"


def configure(database_url: str, api_base: str, *, livemode: bool) -> None:
    """Django's settings for one database and one Stripe."""
    url = urlsplit(database_url)
    settings.configure(
        SECRET_KEY="bench",
        ALLOWED_HOSTS=["*"],
        APPEND_SLASH=False,
        ROOT_URLCONF="bench.djstripe_urls",
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "djstripe"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": url.path.lstrip("/"),
                "USER": url.username,
                "HOST": url.hostname,
                "PORT": url.port,
                "CONN_MAX_AGE": None,
            }
        },
        # The tables as the models are. To get there by all of its migrations takes most of a minute.
        MIGRATION_MODULES={"auth": None, "contenttypes": None, "djstripe": None},
        USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        LOGGING_CONFIG=None,
        STRIPE_API_HOST=api_base,
        STRIPE_LIVE_MODE=livemode,
        STRIPE_LIVE_SECRET_KEY=f"sk_live_{LETTERS}",
        STRIPE_TEST_SECRET_KEY=f"sk_test_{LETTERS}",
        DJSTRIPE_FOREIGN_KEY_TO_FIELD="id",
    )
    django.setup()


def prepare(secret: str, *, livemode: bool) -> None:
    """The tables, the account and the endpoint."""
    from djstripe.models import Account, WebhookEndpoint

    call_command("migrate", run_syncdb=True, verbosity=0)
    account = Account.get_default_account(api_key=f"sk_live_{LETTERS}" if livemode else None)
    WebhookEndpoint.objects.create(
        id="we_load",
        djstripe_uuid=ENDPOINT,
        djstripe_owner_account=account,
        livemode=livemode,
        secret=secret,
        status="enabled",
        enabled_events=["*"],
        url="https://example.com",
    )


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn, told by us instead of by its command line."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return get_wsgi_application()


def announce(arbiter: Any) -> None:
    """Say where it listens."""
    host, port = arbiter.LISTENERS[0].sock.getsockname()
    print(f"dj-stripe listens on http://{host}:{port}", flush=True)


def main(database_url: str, secret: str, api_base: str, livemode: str, options: str) -> None:
    """Make the tables unless they are there, and serve on a free port with gunicorn's `options` (JSON)."""
    configure(database_url, api_base, livemode=livemode == "live")
    from django.db import connection

    if "djstripe_webhookendpoint" not in connection.introspection.table_names():
        prepare(secret, livemode=livemode == "live")
    connection.close()
    told = {"bind": "127.0.0.1:0", "loglevel": "error", "when_ready": announce, **json.loads(options)}
    Server(told).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
