"""What is planned for a subscription: its next period, the end of its trial, its own end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from paydesk.emulator.resources import billing_settings, subscription_shape
from paydesk.emulator.resources.subscription_shape import ENDED

if TYPE_CHECKING:
    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World

DUE: Final = "subscription.due"
EXPIRE: Final = "subscription.expire"
PENDING_EXPIRES: Final = "subscription.pending_update_expires"
RESUME_COLLECTION: Final = "subscription.resume_collection"
# Done with a schedule's id where its subscription's time has come: the phase comes before the period.
SCHEDULE_DUE: Final = "subscription_schedule.due"
SET_UP: Final = "subscription.set_up"
TRIAL_ENDS_SOON: Final = "subscription.trial_ends_soon"
UPCOMING: Final = "subscription.upcoming"
_PLANNED: Final = (DUE, EXPIRE, PENDING_EXPIRES, RESUME_COLLECTION, TRIAL_ENDS_SOON, UPCOMING)

_HOUR: Final = 3600
_DAY: Final = 24 * _HOUR
EXPIRES_SECONDS: Final = 23 * _HOUR
TRIAL_NOTICE_SECONDS: Final = 3 * _DAY


def plan(world: World, subscription: Document) -> None:
    """Put on the agenda what is to happen to a subscription by itself, in place of what was there."""
    world.unschedule(_PLANNED, subscription.id)
    status = subscription["status"]
    if status in ENDED:
        return
    if status == "incomplete":
        world.schedule(subscription["created"] + EXPIRES_SECONDS, EXPIRE, subscription.id)
        return
    paused = subscription["pause_collection"]
    if paused is not None and paused["resumes_at"] is not None:
        world.schedule(paused["resumes_at"], RESUME_COLLECTION, subscription.id)
    if subscription["pending_update"] is not None:
        world.schedule(subscription["pending_update"]["expires_at"], PENDING_EXPIRES, subscription.id)
    if status == "paused":
        if subscription["cancel_at"] is not None:
            world.schedule(subscription["cancel_at"], DUE, subscription.id)
        return
    end = subscription_shape.period_of(subscription["items"]["data"])[1]
    cancel_at = subscription["cancel_at"]
    world.schedule(end if cancel_at is None else min(end, cancel_at), DUE, subscription.id)
    if status == "trialing" and not subscription.private.get("is_trial_end_told"):
        world.schedule(
            max(world.now, subscription["trial_end"] - TRIAL_NOTICE_SECONDS), TRIAL_ENDS_SOON, subscription.id
        )
    _plan_notice(world, subscription, end)


def _plan_notice(world: World, subscription: Document, end: int) -> None:
    days = billing_settings.of(world).upcoming_days
    is_last = subscription["cancel_at"] is not None and subscription["cancel_at"] <= end
    if not days or subscription["collection_method"] == "send_invoice" or is_last:
        return
    notice = end - days * _DAY
    if notice > world.now:
        world.schedule(notice, UPCOMING, subscription.id)
