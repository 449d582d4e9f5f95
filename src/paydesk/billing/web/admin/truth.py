"""The drift report: whether the mirror is as Stripe says, found out in the background."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

from paydesk.billing.log import get_logger
from paydesk.billing.truth.problems import PROBLEMS
from paydesk.billing.web.admin.room import Asking, Shown
from paydesk.errors import PaydeskError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from paydesk.billing.desk import Paydesk

logger = get_logger(__name__)

# While it is under way, the page looks again by itself.
REFRESH_SECONDS = 3
VALUE_CHARACTERS_MAX = 200

TROUBLES = {
    "paid_not_fulfilled": "paid, not fulfilled",
    "fulfilled_not_paid": "fulfilled, not paid",
    "dead": "given up",
    "waiting": "waits too long",
}


def truth(asking: Asking) -> Shown:
    """The last report, or how far the one under way has come."""
    report = asking.desk.report()
    is_running = report is not None and report.state == "running"
    values = {"report": report, "problems": PROBLEMS, "troubles": TROUBLES, "value_of": value_of}
    return Shown("truth.html", values, refresh_seconds=REFRESH_SECONDS if is_running else None)


def verify(asking: Asking) -> Mapping[str, str]:
    """Begin to verify, unless somebody is at it."""
    report = asking.desk.report()
    if report is None or report.state != "running":
        is_repairing = asking.fields.get("repair") == "1"
        thread = threading.Thread(target=_verify, args=(asking.desk, is_repairing), name="paydesk-verify", daemon=True)
        thread.start()
        _wait_until_begun(asking.desk, thread)
    return {}


def value_of(difference: Mapping[str, Any], side: str) -> str:
    """A value in a report, cut to what a line holds; what opens doors is never shown."""
    if "secret" in difference["path"]:
        return "***"
    value = difference[side]
    text = value if value == "(absent)" else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= VALUE_CHARACTERS_MAX else f"{text[:VALUE_CHARACTERS_MAX]}…"


def _verify(desk: Paydesk, is_repairing: bool) -> None:
    try:
        desk.verify(repair=is_repairing)
    except PaydeskError as error:
        logger.warning("The mirror could not be verified: %s", error)
    except Exception:
        logger.exception("The mirror could not be verified")


def _wait_until_begun(desk: Paydesk, thread: threading.Thread) -> None:
    """So that the page that comes next shows it under way; its report is made before Stripe is asked anything."""
    before = desk.operations.now()
    while thread.is_alive():
        report = desk.report()
        if report is not None and report.began_at >= before:
            return
        thread.join(0.02)
