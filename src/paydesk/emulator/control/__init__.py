"""The controls of the local Stripe, under /_local: what a test, a demo or a curious person needs and Stripe has not.

What concerns a sandbox is asked with its secret key. To add a control, write its file and name it here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from paydesk.emulator.control import (
    billing_settings,
    charges,
    clock,
    copy,
    coverage,
    endpoints,
    events,
    faults,
    health,
    payment_methods,
    portal_settings,
    requests,
    reset,
)

if TYPE_CHECKING:
    from starlette.routing import Route

    from paydesk.emulator.control.door import Door

CONTROLS = (
    health,
    clock,
    events,
    endpoints,
    payment_methods,
    charges,
    billing_settings,
    portal_settings,
    faults,
    requests,
    reset,
    copy,
    coverage,
)


def routes(door: Door) -> list[Route]:
    """All of them, to be mounted under /_local."""
    return [route for control in CONTROLS for route in control.routes(door)]
