"""A person at a browser, played over plain HTTP: follows redirects, keeps cookies, sends the forms that pages show."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx2

TIMEOUT_SECONDS = 30.0
# The card that works.
PAYS = "4242424242424242"


@dataclass
class Form:
    """A form on a page: where it goes, and what it would send as it stands."""

    action: str
    method: str = "post"
    fields: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Page:
    """What the browser shows: its address, its text for the eye, and its forms."""

    url: str
    text: str
    forms: tuple[Form, ...]

    def form_to(self, path: str) -> Form:
        """The first form whose address ends in `path`. Raises LookupError where there is none."""
        for form in self.forms:
            if form.action.partition("?")[0].endswith(path):
                return form
        raise LookupError(f"{self.url} shows no form to {path}: {self.text[:200]!r}")

    def form(self, **wanted: str) -> Form:
        """The first form that would send these values. Raises LookupError where there is none."""
        for form in self.forms:
            if wanted.items() <= form.fields.items():
                return form
        raise LookupError(f"{self.url} shows no form with {wanted}: {self.text[:200]!r}")


class Person:
    """One visitor, with cookies of their own."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._browser = httpx2.Client(follow_redirects=True, timeout=TIMEOUT_SECONDS)

    def visit(self, url: str) -> Page:
        """Open an address."""
        return _page(self._browser.get(url))

    def send(self, page: Page, form: Form, **typed: str) -> Page:
        """Send a form with these fields typed in, or this button pressed, and see where that leads."""
        url = urljoin(page.url, form.action)
        if form.method == "get":
            return self.visit(str(httpx2.URL(url, params={**form.fields, **typed})))
        return _page(self._browser.post(url, data={**form.fields, **typed}, headers={"Origin": _origin(page.url)}))

    def leave(self) -> None:
        """Close the browser."""
        self._browser.close()


def _origin(url: str) -> str:
    parts = httpx2.URL(url)
    return f"{parts.scheme}://{parts.netloc.decode()}"


def _page(response: httpx2.Response) -> Page:
    reader = _Reader()
    reader.feed(response.text)
    return Page(str(response.url), " ".join(" ".join(reader.words).split()), tuple(reader.forms))


def _is_sent(given: dict[str, str]) -> bool:
    """Whether a browser would send this input as it stands."""
    kind = given.get("type")
    return "checked" in given if kind in ("checkbox", "radio") else kind != "submit"


class _Reader(HTMLParser):
    """Picks the words and the forms out of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.forms: list[Form] = []
        self._select: str | None = None
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: unescape(value or "") for name, value in attrs}
        if tag in ("style", "script"):
            self._unseen += 1
        elif tag == "form":
            self.forms.append(Form(given.get("action", ""), given.get("method", "get").lower()))
        elif not self.forms:
            return
        elif tag == "input" and "name" in given and _is_sent(given):
            self.forms[-1].fields[given["name"]] = given.get("value", "")
        elif tag == "select":
            self._select = given.get("name")
        elif tag == "option" and self._select and ("selected" in given or self._select not in self.forms[-1].fields):
            self.forms[-1].fields[self._select] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("style", "script"):
            self._unseen -= 1
        elif tag == "select":
            self._select = None

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.words.append(data)
