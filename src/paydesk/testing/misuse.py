"""What a test is told when it asks for something that cannot be, or when the app did not do its part.

They are assertion errors: pytest reports them as failures of the test, with the sentence first.
"""

from __future__ import annotations


class Misused(AssertionError):
    """A helper was asked for something that cannot be. Says what, and what to write instead."""


class HandlerFailed(AssertionError):
    """One of the app's handlers raised. In production it would be tried again later; a test wants to know."""

    def __init__(self, handler: str, source: str) -> None:
        self.handler = handler
        self.source = source
        super().__init__(
            f"The handler {handler} failed for {source} (its error is above). "
            "If it is meant to: with billing.failures_allowed(): …"
        )


class WebhookRefused(AssertionError):
    """The app did not take a webhook that Stripe sent it."""

    def __init__(self, event_type: str, path: str, status: int, body: str) -> None:
        self.event_type = event_type
        self.status = status
        super().__init__(
            f"The app answered {status} to the webhook {event_type} at POST {path}: {body[:300]!r}. "
            "Is the route mounted there, and free from login and CSRF checks?"
        )
