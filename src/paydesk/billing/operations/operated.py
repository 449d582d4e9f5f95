"""What a desk offers to whoever runs the app."""

from __future__ import annotations

from abc import ABC
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any

from paydesk.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from paydesk.billing.operations.health import Health
    from paydesk.billing.operations.metrics import Metrics, Served
    from paydesk.billing.operations.operations import Operations


class Operated(ABC):
    """A desk that can be watched."""

    # What can be asked about how the app is.
    operations: Operations
    # Says of a user of the app whether they may see the admin page; None: there is no such page.
    operator: Callable[[Any], bool] | None = None

    def admin(self, allow: Callable[[Any], bool]) -> None:
        """Open the admin page, at `/paydesk/admin`, to those users of the app whom `allow` lets in.

        It is asked at each request, with the user that the app's own function found. Without this there is no page.
        Raises ConfigurationError for a coroutine: what it answers would be true before it was awaited.
        """
        if iscoroutinefunction(allow):
            raise ConfigurationError(["admin(allow=…) takes a plain function: whoever may see the page cannot wait."])
        self.operator = allow

    def health(self) -> Health:
        """Whether what Stripe tells is worked on in time, by one query: what `/paydesk/health` answers.

        Nothing is migrated for it, and it never raises: a database that cannot be asked is an answer too.
        """
        return self.operations.checkup.health()

    def metrics(self) -> bytes:
        """The metrics of this process, as Prometheus scrapes them: what `/paydesk/metrics` answers.

        What waits is read from the database. What is counted and timed is so from the first call on, or, where
        PAYDESK_METRICS_TOKEN is set, from the start. Raises ConfigurationError if prometheus-client is missing.
        """
        return self._measured().text()

    def serve_metrics(self, port: int, host: str = "127.0.0.1") -> Served:
        """Serve the metrics on a port of their own, for processes that serve nothing else.

        Raises OSError if the port is taken, ConfigurationError if prometheus-client is missing.
        """
        return self._measured().serve(port, host)

    def _measured(self) -> Metrics:
        try:
            return self.operations.metrics()
        except ImportError as error:
            raise ConfigurationError(["What makes metrics is missing: pip install paydesk[metrics]"]) from error
