"""Billing tests: a Stripe of its own for each test, and helpers that read like sentences.

Installed with paydesk, pytest finds the fixtures by itself:

    # pyproject.toml
    [tool.pytest.ini_options]
    paydesk_desk = "myapp.billing:desk"
    paydesk_app = "myapp.main:app"

    def test_a_plan_is_renewed(billing):
        billing.subscribe("ada", "pro")
        billing.advance("1 month 2 hours")
        assert billing.facts.count("subscription.renewed") == 1

The fixtures are in `plugin.py`, the sentences in `billing.py`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from paydesk.testing.bare import billing_for, give_secrets
    from paydesk.testing.billing import Billing
    from paydesk.testing.crashes import Crash
    from paydesk.testing.misuse import HandlerFailed, Misused, WebhookRefused
    from paydesk.testing.pages import Payment
    from paydesk.testing.sandbox import LocalStripe

__all__ = [
    "Billing",
    "Crash",
    "HandlerFailed",
    "LocalStripe",
    "Misused",
    "Payment",
    "WebhookRefused",
    "billing_for",
    "give_secrets",
]

_HOMES = {
    "Billing": "billing",
    "Crash": "crashes",
    "HandlerFailed": "misuse",
    "LocalStripe": "sandbox",
    "Misused": "misuse",
    "Payment": "pages",
    "WebhookRefused": "misuse",
    "billing_for": "bare",
    "give_secrets": "bare",
}

# A suite that uses none of it does not wait for it.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
