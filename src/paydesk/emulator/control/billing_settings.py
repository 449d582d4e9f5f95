"""`/_local/settings/billing`: what Stripe keeps in its Dashboard about money that does not come.

`GET` shows the choices of a sandbox, `POST` changes those it names.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from starlette.routing import Route

from paydesk.emulator.control.door import answer, fields
from paydesk.emulator.kernel.errors import invalid
from paydesk.emulator.resources import billing_settings
from paydesk.emulator.rules import dunning

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from paydesk.emulator.control.door import Door, Fields
    from paydesk.emulator.kernel.world import World

RETRY_DAYS_MAX = 30
UPCOMING_DAYS_MAX = 45
WILL_BE_DUE_DAYS_MAX = 60
OVERDUE_DAYS_MAX = 90


def routes(door: Door) -> list[Route]:
    async def read(request: Request) -> Response:
        return answer(asdict(door.kernel.within(door.sandbox(request), billing_settings.of)))

    async def change(request: Request) -> Response:
        sandbox = door.sandbox(request)
        given = await fields(request)

        def work(world: World) -> dunning.Settings:
            chosen = _changed(billing_settings.of(world), given)
            given.end()
            billing_settings.choose(world, chosen)
            return chosen

        return answer(asdict(door.kernel.within(sandbox, work)))

    return [
        Route("/settings/billing", read, methods=["GET"]),
        Route("/settings/billing", change, methods=["POST"]),
    ]


def _changed(now: dunning.Settings, given: Fields) -> dunning.Settings:
    window = given.whole("retry_window_days", now.retry_window_days, least=1, most=dunning.WINDOWS_DAYS[-1])
    if window not in dunning.WINDOWS_DAYS:
        among = ", ".join(map(str, dunning.WINDOWS_DAYS))
        raise invalid(f"Invalid retry_window_days: must be one of {among}", param="retry_window_days")
    return replace(
        now,
        retry_schedule=given.choice("retry_schedule", now.retry_schedule, among=dunning.SCHEDULES),
        retry_window_days=window,
        retry_days=given.wholes(
            "retry_days", now.retry_days, least=1, most=RETRY_DAYS_MAX, count_max=dunning.RETRIES_MAX
        ),
        subscription_at_end=given.choice(
            "subscription_at_end", now.subscription_at_end, among=dunning.SUBSCRIPTION_ENDS
        ),
        invoice_at_end=given.choice("invoice_at_end", now.invoice_at_end, among=dunning.INVOICE_ENDS),
        upcoming_days=given.whole("upcoming_days", now.upcoming_days, least=0, most=UPCOMING_DAYS_MAX),
        will_be_due_days=given.whole("will_be_due_days", now.will_be_due_days, least=0, most=WILL_BE_DUE_DAYS_MAX),
        overdue_days=given.whole("overdue_days", now.overdue_days, least=0, most=OVERDUE_DAYS_MAX),
    )
