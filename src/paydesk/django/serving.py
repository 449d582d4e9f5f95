"""The worker inside a process that serves: it begins with the first request.

`manage.py migrate`, `check`, `shell` and every other command serve nothing, and start nothing.
"""

from __future__ import annotations

from typing import Any

from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler

from paydesk.billing.web import serving as web
from paydesk.django.lazy import desk


class Serving(web.Serving):
    """Starts the worker of this process, once."""

    def on_signal(self, sender: Any, **_: Any) -> None:
        """Django is about to answer somebody. The test client is nobody: its requests have another handler."""
        if isinstance(sender, type) and issubclass(sender, WSGIHandler | ASGIHandler):
            self.on_request()


serving = Serving(desk)
