"""What goes back to whoever asked: pages, redirects and JSON, the same for every web framework."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Mapping

    from paydesk.billing.web.account import Step
    from paydesk.billing.web.pages import Pages
    from paydesk.billing.web.requests import Refusal

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    # A button that starts a payment is not shown inside somebody else's page.
    "Content-Security-Policy": "frame-ancestors 'none'",
    # The thanks page's address names a session: other websites do not need to know it.
    "Referrer-Policy": "strict-origin-when-cross-origin",
}
NOT_STORED = {"Cache-Control": "no-store"}


@dataclass(frozen=True)
class Answer:
    """An HTTP answer: an adapter passes it on as it is."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""


def page(html: str, *, status: int = 200, is_stored: bool = False, headers: Mapping[str, str] | None = None) -> Answer:
    """A page. `is_stored`: it is the same for everybody, and may be kept on the way."""
    return Answer(
        status,
        {
            **HEADERS,
            **({} if is_stored else NOT_STORED),
            **(headers or {}),
            "Content-Type": "text/html; charset=utf-8",
        },
        html.encode(),
    )


def as_json(content: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer for scripts."""
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return Answer(status, {**HEADERS, **NOT_STORED, **(headers or {}), "Content-Type": "application/json"}, body)


def redirect(url: str) -> Answer:
    """On to another page, whatever brought the browser here."""
    return Answer(303, {**HEADERS, **NOT_STORED, "Location": quote(url, safe=":/%#?=@[]!$&'()*+,;~")})


def sent(url: str, *, is_form: bool) -> Answer:
    """On to Stripe: a browser goes there, a script is told where."""
    return redirect(url) if is_form else as_json({"url": url})


def refused(pages: Pages, refusal: Refusal, *, is_form: bool, way_out: Step | None = None) -> Answer:
    """Not what was hoped for: a page for people, a code for scripts. The detail is the developer's, in test mode."""
    wait = refusal.retry_after_seconds
    headers = {} if wait is None else {"Retry-After": str(wait)}
    if is_form:
        html = pages.error(refusal.title, refusal.sentence, detail=refusal.detail, tone=refusal.tone, way_out=way_out)
        return page(html, status=refusal.status, headers=headers)
    error = {"code": refusal.code, "message": refusal.sentence}
    if refusal.detail is not None and not pages.shop.livemode:
        error["detail"] = refusal.detail
    content: dict[str, object] = {"error": error}
    if way_out is not None:
        content["url"] = way_out.url
    return as_json(content, status=refusal.status, headers=headers)
