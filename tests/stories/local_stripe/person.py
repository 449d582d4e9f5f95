"""A customer in front of the portal. This one sends its forms as a browser does; another sits at a real one."""

from __future__ import annotations

import html
import re
from typing import Protocol
from urllib.parse import urlencode, urlsplit

from tests.emulator.wire import Wire

CARD = {
    "card_number": "5555 5555 5555 4444",
    "card_expiry": "12 / 40",
    "card_cvc": "123",
    "name": "Ada Lovelace",
    "country": "US",
    "postal_code": "42424",
}


class Person(Protocol):
    """Somebody who was given the address of a page."""

    def subscribes(self, checkout: str) -> None:
        """With a Mastercard that works."""

    def replaces_their_card(self, portal: str) -> None:
        """With a Mastercard that works."""

    def pays_what_is_open(self, portal: str) -> None:
        """Follows the portal's link to the one invoice that is due, and pays it with such a card."""

    def leaves(self, portal: str) -> None:
        """Cancels their one plan: it is too expensive."""


class ByForms:
    """Reads a page's links and forms, and posts them."""

    def __init__(self, url: str) -> None:
        self._wire = Wire(url, None)

    def subscribes(self, checkout: str) -> None:
        page = self._wire.get(urlsplit(checkout).path).body.decode()
        hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
        self._post(checkout, {**hidden, "email": "ada@example.com", **CARD})

    def replaces_their_card(self, portal: str) -> None:
        self._post(self._link(portal, "Add a card"), CARD)

    def pays_what_is_open(self, portal: str) -> None:
        self._post(self._link(portal, "Pay now"), CARD)

    def leaves(self, portal: str) -> None:
        self._post(self._link(portal, "Cancel plan"), {"feedback": "too_expensive"})

    def _link(self, portal: str, words: str) -> str:
        """Where a link of the portal's home page leads to."""
        page = self._wire.get(urlsplit(portal).path).body.decode()
        found = re.search(rf'href="([^"]+)"[^>]*>{words}</a>', page)
        assert found is not None, f"no link {words!r} on the portal"
        return html.unescape(found[1])

    def _post(self, url: str, fields: dict[str, str]) -> None:
        parts = urlsplit(url)
        answer = self._wire.post(f"{parts.path}?{parts.query}", urlencode(fields))
        assert answer.status == 303, f"{answer.status} {parts.path}"
