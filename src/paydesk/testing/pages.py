"""The customer at Stripe's hosted pages: opens them, fills them in, and answers their bank.

The requests are those a browser without scripts would send.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlencode, urljoin

from paydesk.emulator.rules import cards
from paydesk.testing.asgi import Answer, Request
from paydesk.testing.misuse import Misused

if TYPE_CHECKING:
    from paydesk.testing.server import Server

GOOD_CARD = "4242 4242 4242 4242"
# Where the bank asks, in the address of its page.
_BANK = "/3d_secure_2/"
_FORM = {"content-type": "application/x-www-form-urlencoded"}
_ALERT = re.compile(r'<p class="alert"[^>]*>(.*?)</p>', re.DOTALL)
_PROBLEM = re.compile(r'<p class="wrong"[^>]*>(.*?)</p>', re.DOTALL)
_AMOUNT = re.compile(r'name="expected_amount" value="(\d*)"')
_TITLE = re.compile(r"<h1[^>]*>(.*?)</h1>\s*(?:<p[^>]*>(.*?)</p>)?", re.DOTALL)

Bank = Literal["passes", "fails", "is left"]
_ANSWERS = {"passes": "complete", "fails": "fail", "is left": "cancel"}


@dataclass(frozen=True)
class Payment:
    """How a try to pay ended.

    `reason` is what the page said where it was refused. `url` is where the customer's browser was sent afterwards: to
    the app's thanks page, if all went well. `asked` tells whether the bank asked for 3-D Secure.
    """

    is_paid: bool
    reason: str | None = None
    url: str | None = None
    asked: bool = False


class Customer:
    """Somebody at a hosted page."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def pay(self, url: str, card: str, email: str, bank: Bank) -> Payment:
        """Pay on the page of a Checkout Session."""
        if bank not in _ANSWERS:
            raise Misused(f"bank={bank!r} is not something a bank does. Write one of: {', '.join(_ANSWERS)}.")
        number = number_of(card)
        if not url.startswith(f"{self._server.url}/c/pay/"):
            raise Misused(f"{url} is no payment page of this test's Stripe, whose pages are at {self._server.url}.")
        page = self._ask("GET", url)
        amount = _AMOUNT.search(_text(page))
        if amount is None:
            raise Misused(f"Nobody can pay at {url} any more: {_said(page)}")
        answer = self._ask("POST", url, email=email, test_card=number, expected_amount=amount[1])
        if answer.status == 303 and _BANK in answer.headers["location"]:
            challenge = urljoin(url, answer.headers["location"])
            return self._ended(self._ask("POST", challenge, answer=_ANSWERS[bank]), asked=True)
        return self._ended(answer)

    def _ended(self, answer: Answer, *, asked: bool = False) -> Payment:
        where = answer.headers.get("location")
        if where is not None and where.startswith(self._server.url):
            # Back at the payment page, which says what the bank said.
            return self._ended(self._ask("GET", where), asked=asked)
        if where is not None:
            return Payment(is_paid=True, url=where, asked=asked)
        return Payment(is_paid=False, reason=_said(answer), asked=asked)

    def _ask(self, method: str, url: str, **typed: str) -> Answer:
        answer = self._server.ask(Request(method, url, _FORM if typed else {}, urlencode(typed).encode()))
        if answer.status >= 500:
            raise Misused(f"{method} {url} was answered with {answer.status}: {_said(answer)}")
        return answer


def number_of(card: str) -> str:
    """The number of a test card, named by it or as Stripe's documentation names it (`pm_card_visa`)."""
    digits = re.sub(r"[\s-]", "", card)
    found = cards.by_number(digits) if digits.isdecimal() else cards.by_alias(card.removeprefix("pm_card_"))
    if found is None:
        raise Misused(
            f"{card!r} is no test card. Write one of Stripe's, such as 4242 4242 4242 4242 (pays), "
            "4000 0000 0000 9995 (insufficient funds), 4000 0027 6000 3184 (asks the bank) or pm_card_visa."
        )
    return found.number


def page_of(what: Any) -> str:
    """The payment page that something leads to: an address, a checkout, a session, or the app's own answer."""
    if isinstance(what, str):
        return what
    if hasattr(what, "status_code"):
        return _page_in(what)
    url = getattr(what, "url", None)
    if not isinstance(url, str):
        raise Misused(
            f"pay() needs a page to pay at, and {what!r} leads to none. Give it what desk.checkout() or "
            "desk.subscribe() answered, a Checkout Session, its address, or your app's answer that leads there."
        )
    return url


def _page_in(response: Any) -> str:
    """The page that an answer of the app leads to, by a redirect or as JSON."""
    location: str | None = response.headers.get("location")
    if location is not None:
        return location
    said = response.get_json(silent=True) if hasattr(response, "get_json") else _json(response)
    if isinstance(said, dict) and isinstance(said.get("url"), str) and response.status_code < 400:
        return str(said["url"])
    body: Any = getattr(response, "text", None) or getattr(response, "content", b"")
    raise Misused(f"The app's answer leads to no payment page. It said {response.status_code}: {body[:300]!r}")


def _json(response: Any) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


def _text(answer: Answer) -> str:
    return answer.body.decode("utf-8", "replace")


def _said(answer: Answer) -> str:
    """What the page tells its reader."""
    page = _text(answer)
    found = _ALERT.search(page) or _PROBLEM.search(page) or _TITLE.search(page)
    if found is None:
        return page[:200]
    return unescape(" ".join(re.sub(r"<[^>]+>", "", part).strip() for part in found.groups() if part))
