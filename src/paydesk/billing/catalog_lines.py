"""What is sold, in a line of plain words, as it is written in a request to FlareX:

    Starter: $9/mo → STRIPE_PRICE_STARTER

Such lines may stand in the catalog file as they are, wherever a table may. A
line with a rhythm is a plan, one without is a product. The part behind
STRIPE_PRICE_ is the code.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from paydesk.billing import every
from paydesk.errors import CatalogMistake

if TYPE_CHECKING:
    from collections.abc import Iterator

# TOML has no line like this outside of a text: a name, a colon, and no equals sign before it.
_WORDS = re.compile(r"\s*(?:[-*•]\s+)?(?P<name>[^\W\d][^:=\[\]{}\"'#]*?)\s*:\s*(?P<rest>\S.*)")
_REST = re.compile(r"(?P<price>.+?)\s*(?:→|-+>|=+>)\s*STRIPE_PRICE_(?P<code>[A-Za-z0-9][A-Za-z0-9_]{0,62})\s*(?:#.*)?")
_HEADING = re.compile(r"\s*(?:plans|products)\s*:\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Line:
    """One thing sold, and where it stands."""

    number: int
    section: str
    code: str
    name: str
    price: str


def take(text: str) -> tuple[str, list[Line], list[CatalogMistake]]:
    """The text with such lines left blank, what stood in them, and what is wrong with them."""
    left = text.split("\n")
    found: list[Line] = []
    mistakes: list[CatalogMistake] = []
    for number, line in outside_of_texts(text):
        words = _WORDS.fullmatch(line)
        if words is None and not _HEADING.fullmatch(line):
            continue
        left[number - 1] = ""
        if words is None:
            continue
        try:
            found.append(_line(number, words["name"], words["rest"]))
        except ValueError as error:
            mistakes.append(CatalogMistake(number, str(error)))
    return "\n".join(left), found, mistakes


def outside_of_texts(text: str) -> Iterator[tuple[int, str]]:
    """Each line and its number, but those that belong to a text of several lines."""
    is_inside = False
    for number, line in enumerate(text.split("\n"), start=1):
        was_inside = is_inside
        is_inside ^= (line.count('"""') + line.count("'''")) % 2 == 1
        if not was_inside:
            yield number, line


def _line(number: int, name: str, rest: str) -> Line:
    match = _REST.fullmatch(rest)
    if match is None:
        raise ValueError(f'{name}: this line names no price. Write it like "Starter: $9/mo → STRIPE_PRICE_STARTER"')
    _, rhythm = every.split(match["price"])
    return Line(number, "plans" if rhythm else "products", match["code"].lower(), name, match["price"])
