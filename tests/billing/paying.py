"""Paying at the local Stripe's page as a browser without scripts does: open it, fill the form in, send it."""

from __future__ import annotations

import http.client
import re
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

GOOD_CARD = "4242424242424242"
DECLINED_CARD = "4000000000000002"


@dataclass(frozen=True)
class Answer:
    """What came back: where the browser is sent (`location`), or the page that is shown instead."""

    status: int
    location: str | None
    page: str


def pay(url: str, *, card: str = GOOD_CARD, email: str = "ada@example.com") -> Answer:
    """Pay at a Checkout Session's page with one of its test cards."""
    page = _request("GET", url).page
    amount = re.search(r'name="expected_amount" value="(\d+)"', page)
    assert amount is not None, page
    return _request("POST", url, {"email": email, "test_card": card, "expected_amount": amount[1]})


def _request(method: str, url: str, form: dict[str, str] | None = None) -> Answer:
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.netloc, timeout=30)
    try:
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if form else {}
        connection.request(method, address.path, urlencode(form) if form else None, headers)
        response = connection.getresponse()
        return Answer(response.status, response.getheader("Location"), response.read().decode())
    finally:
        connection.close()
