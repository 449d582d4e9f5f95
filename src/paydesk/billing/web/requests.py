"""What a browser may ask for, and how a refusal is answered: the same for every web framework.

A request names what to buy and how many. Anything else in it (a price, an
amount, an address) is not looked at.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from paydesk.billing.catalog_file import CODE
from paydesk.billing.plans import MAIN_SLOT
from paydesk.errors import (
    AlreadySubscribed,
    IntervalRefused,
    NothingToManage,
    OrderNotFound,
    PaydeskError,
    PortalRefused,
    PriceMismatch,
    QuantityRefused,
    SeatsRefused,
    StripeRefused,
    StripeUnavailable,
    UnknownPlan,
    UnknownPrice,
    UnknownProduct,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from paydesk.billing.portal import Destination
    from paydesk.billing.web.pages import Tone

# A code and a number: whoever sends more is not buying.
FORM_BYTES_MAX = 16 * 1024

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"

_SESSION_ID = re.compile(r"cs_[A-Za-z0-9_]{1,250}")
_NUMBER = re.compile(r"[0-9]{1,6}")


@dataclass(frozen=True)
class Wish:
    """What somebody wants to buy, unchecked."""

    sku: str
    quantity: object


@dataclass(frozen=True)
class Subscribing:
    """Which plan somebody wants, unchecked. What is None is the plan's own."""

    plan: str
    seats: object
    interval: str | None


@dataclass(frozen=True)
class Refusal:
    """An answer other than the one that was hoped for, in the customer's words."""

    status: int
    code: str
    title: str
    sentence: str
    detail: str | None = None
    tone: Tone = "bad"
    retry_after_seconds: int | None = None


NOT_FOUND = Refusal(
    404,
    "order_not_found",
    "We cannot find that order",
    "The address may be incomplete, or the order belongs to another account. If you have paid, nothing is lost: "
    "sign in as you were when you bought, or contact us.",
    tone="calm",
)
CROSS_SITE = Refusal(
    403,
    "cross_site",
    "This form came from another website",
    "For your safety nothing was started. Please begin again on our own page.",
    detail="The request's Origin or Sec-Fetch-Site is not that of BASE_URL. Open the shop at exactly that address.",
)
SIGNED_OUT = Refusal(
    401,
    "signed_out",
    "Please sign in first",
    "This page is about what is yours, and we do not know yet who you are.",
    tone="calm",
)
UNREADABLE = Refusal(
    400,
    "unreadable_request",
    "We did not understand that",
    "Please go back to the shop and choose again.",
    detail='Send a form or JSON with "sku" and, if you like, "quantity".',
)
NO_PLAN = Refusal(
    400,
    "unreadable_request",
    "We did not understand that",
    "Please go back to the shop and choose again.",
    detail='Send a form or JSON with "plan" and, if you like, "seats" and "interval".',
)
SUBSCRIBED_ALREADY = Refusal(
    409,
    "already_subscribed",
    "You are subscribed already",
    "A second subscription would be charged beside the first. Change the one you have instead.",
    tone="calm",
)
TOO_LARGE = Refusal(413, "too_large", "That was too much", "Please go back to the shop and choose again.")


def wish(content_type: str, body: bytes) -> Wish | Refusal:
    """Read what is wanted from a form or from JSON."""
    fields = _fields(content_type, body)
    sku = fields.get("sku")
    if not isinstance(sku, str) or not sku:
        return UNREADABLE
    return Wish(sku, fields.get("quantity", 1))


def subscribing(content_type: str, body: bytes) -> Subscribing | Refusal:
    """Read which plan is wanted from a form or from JSON."""
    fields = _fields(content_type, body)
    plan, interval = fields.get("plan"), fields.get("interval") or None
    if not isinstance(plan, str) or not plan or not isinstance(interval, str | None):
        return NO_PLAN
    return Subscribing(plan, fields.get("seats"), interval)


def destination(text: str | None) -> Destination | None:
    """Where in the portal somebody wants to go, if that is a place."""
    places: dict[str, Destination] = {"card": "card", "cancel": "cancel", "switch": "switch"}
    return places.get(text or "")


def slot(text: str | None) -> str:
    """Which of several plans is meant, had side by side; the main one, unless a slot is named."""
    return text if text is not None and CODE.fullmatch(text) else MAIN_SLOT


def session_id(text: str | None) -> str | None:
    """The Checkout Session's id in a query, if it can be one."""
    return text if text is not None and _SESSION_ID.fullmatch(text) else None


def is_cross_site(headers: Mapping[str, str], origin: str) -> bool:
    """Whether another website's page made the browser send this.

    Browsers say so in Sec-Fetch-Site or Origin. Whoever sends neither is no browser of today, and has no
    cookies of anybody else's to misuse.
    """
    sender = headers.get("origin")
    if sender is not None and sender.lower() == origin.lower():
        return False
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    return sender is not None


def refusal_of(error: PaydeskError) -> Refusal:
    """What a customer is told about one of our errors. Whose fault it is decides the words."""
    match error:
        case UnknownProduct():
            return Refusal(
                404,
                "unknown_product",
                "We do not sell that",
                "It may have been taken off the shelf.",
                str(error),
                "calm",
            )
        case QuantityRefused():
            number = str(error.minimum) if error.minimum == error.maximum else f"{error.minimum} to {error.maximum}"
            sentence = f"This can be bought in a quantity of {number}. Please go back and change it."
            return Refusal(400, "quantity_refused", "That quantity is not possible", sentence, str(error), "calm")
        case UnknownPlan() | IntervalRefused():
            sentence = "It may have been taken off the list. Please go back and choose again."
            return Refusal(404, "unknown_plan", "We do not have that plan", sentence, str(error), "calm")
        case SeatsRefused():
            number = str(error.minimum) if error.minimum == error.maximum else f"{error.minimum} to {error.maximum}"
            sentence = f"This plan can have {number} seats. Please go back and change that."
            return Refusal(400, "seats_refused", "That number of seats is not possible", sentence, str(error), "calm")
        case AlreadySubscribed():
            return SUBSCRIBED_ALREADY
        case OrderNotFound():
            return NOT_FOUND
        case NothingToManage():
            sentence = "There is no plan of yours to change, and no invoice to look at."
            return Refusal(404, "nothing_to_manage", "Nothing here yet", sentence, str(error), "calm")
        case StripeUnavailable():
            sentence = "Nothing was charged. Please try again in a minute."
            return Refusal(
                503,
                "try_again",
                "Payments are out of reach right now",
                sentence,
                str(error),
                "wait",
                retry_after_seconds=30,
            )
        case UnknownPrice() | PriceMismatch() | StripeRefused() | PortalRefused():
            sentence = "Something is not set up right on our side, and nothing was charged. Please come back later."
            return Refusal(500, "not_for_sale", "This cannot be bought right now", sentence, str(error))
        case _:
            sentence = "It is our fault, and nothing was charged. Please try again later."
            return Refusal(500, "failed", "Something went wrong", sentence, str(error))


def _fields(content_type: str, body: bytes) -> Mapping[str, object]:
    """What was sent; nothing, where it cannot be read."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in {FORM, JSON}:
        return {}
    try:
        return _json_fields(body) if kind == JSON else _form_fields(body)
    except ValueError:
        return {}


def _json_fields(body: bytes) -> Mapping[str, object]:
    try:
        fields = json.loads(body)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return fields if isinstance(fields, dict) else {}


def _form_fields(body: bytes) -> Mapping[str, object]:
    fields = parse_qs(body.decode(), keep_blank_values=True, strict_parsing=bool(body), max_num_fields=50)
    found: dict[str, object] = {name: values[0] for name, values in fields.items() if len(values) == 1}
    for name in ("quantity", "seats"):
        number = found.get(name)
        if isinstance(number, str) and _NUMBER.fullmatch(number):
            found[name] = int(number)
    return found
