"""The page a person finds who opens the local Stripe's address in a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from paydesk.emulator.pages import render

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from paydesk.emulator.kernel.kernel import Kernel


class WelcomePage:
    """Says what this is, and how to point an SDK at it."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    async def show(self, request: Request) -> Response:
        """GET."""
        return render.page(
            "welcome.html", livemode=False, url=self._kernel.options.base_url, api_version=self._kernel.api_version
        )
