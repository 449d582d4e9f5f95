"""Turning a page into bytes: escaped, with its style inside, and with headers that let nothing else in.

A page needs nothing from outside the machine, and nobody may frame it.
"""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from markupsafe import Markup
from starlette.responses import HTMLResponse, RedirectResponse, Response

from paydesk.emulator.rules.money import exponent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jinja2 import Environment
    from starlette.requests import Request

TEMPLATES: Final = Path(__file__).parent / "templates"
BODY_BYTES_MAX: Final = 64 * 1024
LOCALE: Final = "en_US"
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*")


def page(
    template: str, *, status: int = 200, goes_to: Iterable[str | None] = (), sheet: str | None = None, **values: Any
) -> HTMLResponse:
    """A page. `goes_to` are the addresses its forms may lead to in the end; `sheet` is a style beside everybody's."""
    style, script = _asset("page.css") + (_asset(sheet) if sheet else ""), _asset("page.js")
    body = _environment().get_template(template).render(style=Markup(style), script=Markup(script), **values)  # noqa: S704 - our own files
    return HTMLResponse(body, status, _headers(style, script, goes_to))


def nothing_here() -> HTMLResponse:
    """404, for a browser."""
    return page(
        "closed.html",
        status=404,
        title="This page does not exist",
        text="The address may be incomplete, or the local Stripe was restarted with an empty memory. "
        "Go back to the shop and try again.",
        is_good=False,
        link=None,
        link_text="",
        livemode=False,
    )


async def body(request: Request) -> bytes | None:
    """What was posted; None when it is far more than any form."""
    chunks, size = [], 0
    async for chunk in request.stream():
        chunks.append(chunk)
        size += len(chunk)
        if size > BODY_BYTES_MAX:
            return None
    return b"".join(chunks)


def redirect(url: str) -> RedirectResponse:
    """Send the browser on, with a GET."""
    return RedirectResponse(url, 303, {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})


def money(amount: int, currency: str) -> str:
    """An amount as a customer reads it: $19.00, ¥500, €7.50."""
    from babel.numbers import format_currency  # the locale data is only worth its memory once a page is opened

    places = exponent(currency)
    value = Decimal(amount).scaleb(-places)
    pattern = "¤#,##0" + ("." + "0" * places if places else "")
    return format_currency(value, currency.upper(), pattern, locale=LOCALE, currency_digits=False)


def day(moment: int) -> str:
    """A day as a customer reads it: June 5, 2031."""
    then = datetime.fromtimestamp(moment, UTC)
    return f"{then:%B} {then.day}, {then.year}"


def pdf(document: bytes, name: str) -> Response:
    """A PDF, shown in the browser; `name` is what it is saved as."""
    headers = {"Content-Disposition": f'inline; filename="{name}.pdf"', "Cache-Control": "no-store"}
    return Response(document, media_type="application/pdf", headers=headers)


@cache
def countries() -> dict[str, str]:
    """Countries by their two letters, in the order of their names."""
    from babel import Locale

    names = Locale.parse(LOCALE).territories
    two_letters = {
        code: name for code, name in names.items() if re.fullmatch("[A-Z]{2}", code) and code not in _NOT_COUNTRIES
    }
    return dict(sorted(two_letters.items(), key=lambda pair: pair[1]))


# Unicode's own regions, and what has no post.
_NOT_COUNTRIES: Final = frozenset(
    {"AQ", "BV", "CP", "CQ", "DG", "EA", "EU", "EZ", "HM", "IC", "QO", "UN", "XA", "XB", "ZZ"}
)


@cache
def _environment() -> Environment:
    # A tenth of the server's start, and most servers never show a page.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["money"] = money
    return environment


@cache
def _asset(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _headers(style: str, script: str, goes_to: Iterable[str | None]) -> dict[str, str]:
    # Browsers hold a form's redirects to form-action too; the seller's address may be of any scheme.
    schemes = {urlsplit(url).scheme for url in goes_to if url}
    targets = " ".join(
        ["'self'", *sorted(f"{scheme}:" for scheme in schemes | {"http", "https"} if _SCHEME.fullmatch(scheme))]
    )
    policy = {
        "default-src": "'none'",
        "style-src": _hash(style),
        "script-src": _hash(script),
        "img-src": "data:",
        "form-action": targets,
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }


@cache
def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
