"""Addresses: where a payer's browser may be sent, and what can be an e-mail address."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from paydesk.emulator.kernel.errors import StripeError, invalid

_NO_URL_HAS: Final = re.compile(r"[\s<>\"\x00-\x1f]")
# A script in place of an address would run in the payer's browser.
_SCRIPTS: Final = frozenset({"data", "javascript"})

# Not a test of deliverability: Stripe refuses what cannot be an address.
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")


def check_url(url: str, *, param: str) -> None:
    """Refuse what a browser cannot, or must not, be sent to. Apps may live under any scheme."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise _not_valid(param) from None
    if not parts.scheme:
        raise invalid(
            "Invalid URL: An explicit scheme (such as https) must be provided.", param=param, code="url_invalid"
        )
    if not parts.netloc or parts.scheme in _SCRIPTS or _NO_URL_HAS.search(url):
        raise _not_valid(param)


def check_email(email: str, *, param: str) -> None:
    """Refuse what cannot be an e-mail address."""
    if not is_email(email):
        raise invalid(f"Invalid email address: {email}", param=param, code="email_invalid")


def is_email(text: str) -> bool:
    """Whether a text can be an e-mail address."""
    return _EMAIL.fullmatch(text) is not None


def _not_valid(param: str) -> StripeError:
    return invalid("Not a valid URL", param=param, code="url_invalid")
