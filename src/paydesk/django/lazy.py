"""The desk of a Django project: one, made when it is first used.

`manage.py migrate`, `check` and `collectstatic` load every app and need no Secrets. So handlers are taken down at once,
and the desk they are for is made when somebody buys, or Stripe calls.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, TypeVar, cast

from paydesk.billing.inbox.handlers import Handlers, Topic

if TYPE_CHECKING:
    from collections.abc import Callable

    from paydesk.billing.desk import Paydesk

Handle = TypeVar("Handle", bound="Callable[..., Any]")


class LazyDesk:
    """Stands for the project's Paydesk, and has all its verbs."""

    def __init__(self) -> None:
        self._handlers: list[tuple[Topic, Callable[..., Any]]] = []
        self._checked = Handlers()
        self._making = threading.RLock()
        self._allow: Callable[[Any], bool] | None = None
        self._made: Paydesk | None = None
        self._made_for: object = None

    def on(self, topic: Topic) -> Callable[[Handle], Handle]:
        """Register a handler; see Paydesk.on.

        What it writes through Django's ORM, on the database that has our tables, happens exactly once.
        """

        def register(handle: Handle) -> Handle:
            self._checked.add(topic, handle)
            self._handlers.append((topic, handle))
            if self._made is not None:
                self._made.on(topic)(handle)
            return handle

        return register

    def admin(self, allow: Callable[[Any], bool]) -> None:
        """Open the admin page to those whom `allow` lets in; see Paydesk.admin."""
        self._allow = allow
        if self._made is not None:
            self._made.admin(allow)

    def close(self) -> None:
        """Let go of the database, if the desk was made. The next use makes it again."""
        with self._making:
            if self._made is not None:
                self._made.close()
            self._made = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.itself(), name)

    def itself(self) -> Paydesk:
        """The Paydesk this stands for, made by now. Raises ConfigurationError or CatalogError if that cannot work."""
        from paydesk.django import wiring
        from paydesk.django.database import file_of

        # A test runner gives the alias another database; a desk that looked at the first would sell from it.
        database = file_of(wiring.alias())
        made = self._made
        if made is not None and self._made_for == database:
            return made
        with self._making:
            if self._made_for != database:
                self.close()
            if self._made is None:
                self._made, self._made_for = self._make(), database
            return self._made

    def _make(self) -> Paydesk:
        from paydesk.billing.desk import Paydesk
        from paydesk.django import wiring
        from paydesk.django.mount import prefix
        from paydesk.django.orm import DjangoOrm

        wired = wiring.read()
        made = Paydesk(
            wired.settings,
            catalog=wired.catalog,
            name=wired.name,
            prefix=prefix(),
            templates=wired.templates,
            orm=DjangoOrm(wired.alias),
        )
        for topic, handle in self._handlers:
            made.on(topic)(handle)
        if self._allow is not None:
            made.admin(self._allow)
        return made


lazy = LazyDesk()
desk = cast("Paydesk", lazy)
