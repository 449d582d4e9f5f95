"""The catalog file's grammar: which table and key stands on which line, and is it of the right kind.

The standard library's TOML reader forgets where things stood. Whoever has to
fix a file wants the line, so the keys are looked up in the text again.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, overload

from paydesk.billing import catalog_lines, every, money
from paydesk.errors import CatalogMistake

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from paydesk.billing.money import Money

SECTIONS = ("products", "plans", "meters")
# A table by itself, with nothing sold in it.
PORTAL = "portal"

# A code becomes part of an environment variable, a lookup key and a form.
CODE = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
UNLIMITED = "unlimited"
_KNOWN = "[products.<code>], [plans.<code>], [meters.<code>] and [portal]"
_RATE = re.compile(r"(?P<amount>.+?)(?:\s*(?:/|\bper\b)\s*(?P<units>[1-9][0-9]{0,8}))?")
_TWO_RHYTHMS = '["$29/mo", "$290/yr"]'
_SYNTAX_PLACE = re.compile(r" \(at (?:line (?P<line>\d+), column \d+|end of document)\)$")


@dataclass(frozen=True, eq=False)
class Entry:
    """One thing sold, as it stands in the file. Reading a value wrongly typed notes a mistake and answers None."""

    section: str
    code: str
    values: Mapping[str, Any]
    line: int | None
    lines: Mapping[str, int]
    mistakes: list[CatalogMistake] = field(default_factory=list)
    known: set[str] = field(default_factory=set)

    def line_of(self, key: str) -> int | None:
        return self.lines.get(key, self.line)

    def refuse(self, key: str, reason: str) -> None:
        name = f"{self.section}.{self.code}" if self.code else self.section
        self.mistakes.append(CatalogMistake(self.line_of(key), f"{name}: {reason}"))

    @overload
    def text(self, key: str, *, length_max: int = ...) -> str | None: ...
    @overload
    def text(self, key: str, *, default: str | None, length_max: int = ...) -> str | None: ...
    def text(self, key: str, *, length_max: int = 5000, **default: str | None) -> str | None:
        """A text that says something; without a `default` it has to be there."""
        value = self._value(key, is_required="default" not in default)
        if value is None:
            return default.get("default")
        if not isinstance(value, str) or not value.strip():
            self.refuse(key, f'{key} must be a text in quotes, such as {key} = "…"')
            return None
        if len(value) > length_max:
            self.refuse(key, f"{key} is longer than {length_max} characters, the most Stripe keeps")
            return None
        return value.strip()

    def money(self, key: str) -> Money | None:
        """What something costs once."""
        value = self._value(key, is_required=True)
        if value is None:
            return None
        if not isinstance(value, str):
            self.refuse(key, f'{key} = {value!r} names no currency. Write it in quotes: "$19", "19 EUR" or "¥500"')
            return None
        try:
            amount, rhythm = every.split(value)
            if rhythm is not None:
                raise ValueError(f"{value!r} is charged again and again. That is a plan: [plans.{self.code}]")
            return money.parse(amount)
        except ValueError as error:
            self.refuse(key, str(error))
            return None

    def rhythms(self, key: str) -> list[tuple[Money, every.Every]]:
        """What something costs every so often: one price, or a list with one for each rhythm."""
        value = self._value(key, is_required=True)
        if value is None:
            return []
        written = value if isinstance(value, list) else [value]
        if not written or not all(isinstance(each, str) for each in written):
            self.refuse(key, f'{key} = {value!r} must be a text such as "$29/mo", or a list of such: {_TWO_RHYTHMS}')
            return []
        found: list[tuple[Money, every.Every]] = []
        for each in written:
            try:
                amount, rhythm = every.split(each)
                if rhythm is None:
                    raise ValueError(f'{each!r} does not say how often it is charged. Write it like "$29/mo"')
                if rhythm in [known for _, known in found]:
                    raise ValueError(f"two prices are charged every {rhythm}. A plan has one for each rhythm")
                found.append((money.parse(amount), rhythm))
            except ValueError as error:
                self.refuse(key, str(error))
        if len({amount.currency for amount, _ in found}) > 1:
            self.refuse(key, "the prices are in several currencies. A plan has one: make another plan for the other")
        return found

    def rates(self, key: str) -> Mapping[str, tuple[Money, int]]:
        """A table `code = "what one costs"`, or `"what so many cost"`: "$0.02", "$2 per 1000"."""
        value = self._value(key, is_required=False)
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.refuse(key, f'{key} must be a table of prices, such as {{ emails = "$2 per 1000" }}')
            return {}
        found: dict[str, tuple[Money, int]] = {}
        for code, written in value.items():
            match = _RATE.fullmatch(written) if isinstance(written, str) else None
            if match is None:
                self.refuse(key, f'{key}.{code} = {written!r} must be a text such as "$0.02" or "$2 per 1000"')
                continue
            try:
                found[code] = (money.parse(match["amount"]), int(match["units"] or 1))
            except ValueError as error:
                self.refuse(key, f'{key}.{code}: {error} Less than the smallest coin is written "$2 per 1000"')
        return found

    def words(self, key: str) -> Mapping[str, str]:
        """Codes and what people read for them: a list of codes, or a table `code = "words"`."""
        value = self._value(key, is_required=False)
        if value is None:
            return {}
        named = {code: str(code).replace("_", " ").replace("-", " ").capitalize() for code in _texts(value)}
        table = value if isinstance(value, dict) else named
        if not isinstance(value, dict | list) or (isinstance(value, list) and len(named) != len(value)):
            self.refuse(key, f'{key} must be a list of different codes, such as ["export", "api"], or a table')
            return {}
        for code, words in table.items():
            if not CODE.fullmatch(code):
                self.refuse(key, f"{key}: {_code_reason(code)}")
            elif not isinstance(words, str) or not words.strip():
                self.refuse(key, f'{key}.{code} must be a text in quotes, such as {code} = "…"')
        return table

    def limits(self, key: str) -> Mapping[str, int | None]:
        """A table `code = number`; None stands for "unlimited"."""
        value = self._value(key, is_required=False)
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.refuse(key, f"{key} must be a table of numbers, such as {{ projects = 10 }}")
            return {}
        for code, number in value.items():
            if not CODE.fullmatch(code):
                self.refuse(key, f"{key}: {_code_reason(code)}")
            elif number != UNLIMITED and (not isinstance(number, int) or isinstance(number, bool) or number < 0):
                self.refuse(key, f"{key}.{code} = {number!r} must be a whole number, zero or more, or {UNLIMITED!r}")
        return {code: None if number == UNLIMITED else number for code, number in value.items()}

    def number(self, key: str, *, default: int, minimum: int, maximum: int) -> int:
        value = self._value(key, is_required=False)
        if value is None:
            return default
        if not isinstance(value, int) or isinstance(value, bool) or not minimum <= value <= maximum:
            self.refuse(key, f"{key} = {value!r} must be a whole number from {minimum} to {maximum}")
            return default
        return value

    def choice(self, key: str, choices: Sequence[str], *, default: str) -> str:
        value = self._value(key, is_required=False)
        if value is None:
            return default
        if value not in choices:
            self.refuse(key, f"{key} = {value!r} must be one of {', '.join(choices)}")
            return default
        return str(value)

    def flag(self, key: str, *, default: bool) -> bool:
        value = self._value(key, is_required=False)
        if value is None or isinstance(value, bool):
            return default if value is None else value
        self.refuse(key, f"{key} = {value!r} must be true or false")
        return default

    def code_of(self, key: str, *, default: str) -> str:
        value = self._value(key, is_required=False)
        if value is None:
            return default
        if not isinstance(value, str) or not CODE.fullmatch(value):
            self.refuse(key, f"{key}: {_code_reason(str(value))}")
            return default
        return value

    def refuse_unknown(self) -> None:
        """Note every key that nobody asked for: most are misspelt, and would silently do nothing."""
        for key in self.values:
            if key not in self.known:
                self.refuse(key, f"unknown key {key!r}. Known are {', '.join(sorted(self.known))}")

    def _value(self, key: str, *, is_required: bool) -> Any:
        self.known.add(key)
        if is_required and key not in self.values:
            self.refuse("", f"{key} is missing")
        return self.values.get(key)


def read(text: str) -> tuple[list[Entry], list[CatalogMistake]]:
    """The entries of the file in its order, and what is wrong with the file outside of them."""
    tables, plain, mistakes = catalog_lines.take(text)
    try:
        document = tomllib.loads(tables)
    except tomllib.TOMLDecodeError as error:
        return [], [*mistakes, _syntax_mistake(str(error), text)]
    lines = _lines(tables)
    entries = [Entry(line.section, line.code, _values(line), line.number, {}) for line in plain]
    for section, table in document.items():
        if section == PORTAL and isinstance(table, dict):
            own = {path[1]: line for path, line in lines.items() if len(path) == 2 and path[0] == PORTAL}
            entries.append(Entry(PORTAL, "", table, lines.get((PORTAL,)), own))
        elif section not in SECTIONS:
            reason = f"unknown table or key {section!r}. Known are {_KNOWN}"
            mistakes.append(CatalogMistake(lines.get((section,)), reason))
        elif not isinstance(table, dict):
            reason = f"{section} must be tables: [{section}.<code>]"
            mistakes.append(CatalogMistake(lines.get((section,)), reason))
        else:
            for code, values in table.items():
                if (mistake := _code_mistake(section, code, values)) is None:
                    entries.append(_entry(section, code, values, lines))
                else:
                    mistakes.append(CatalogMistake(lines.get((section, code)), mistake))
    if not document and not plain and not mistakes:
        mistakes.append(CatalogMistake(None, "nothing is sold: add a [products.<code>] table"))
    return sorted(entries, key=lambda entry: entry.line or 0), mistakes


def _values(line: catalog_lines.Line) -> dict[str, Any]:
    return {"name": line.name, "price": line.price}


def _entry(section: str, code: str, values: Mapping[str, Any], lines: Mapping[tuple[str, ...], int]) -> Entry:
    own = {path[2]: line for path, line in lines.items() if len(path) == 3 and path[:2] == (section, code)}
    return Entry(section, code, values, lines.get((section, code)), own)


def _code_mistake(section: str, code: str, values: object) -> str | None:
    if not isinstance(values, dict):
        return f"{code!r} must be a table of its own: [{section}.{code}]"
    return None if CODE.fullmatch(code) else _code_reason(code)


def _code_reason(code: str) -> str:
    return f"the code {code!r} must be lower-case letters, digits, - and _ (at most 63)"


def _texts(value: object) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _syntax_mistake(message: str, text: str) -> CatalogMistake:
    place = _SYNTAX_PLACE.search(message)
    line = int(place["line"]) if place and place["line"] else text.count("\n") + 1
    return CatalogMistake(line, f"this is not TOML: {_SYNTAX_PLACE.sub('', message)}")


def _lines(text: str) -> dict[tuple[str, ...], int]:
    """Where each table and key is first named."""
    lines: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    for number, line in catalog_lines.outside_of_texts(text):
        if line.lstrip().startswith("["):
            table = _path(line.strip())
            path = table
        else:
            path = table + _path(line.partition("=")[0] + "= 0") if "=" in line else ()
        for length in range(1, len(path) + 1):
            lines.setdefault(path[:length], number)
    return lines


def _path(line: str) -> tuple[str, ...]:
    """The dotted name a line is about, read by the TOML reader itself so that every spelling is understood."""
    try:
        return tuple(_names(tomllib.loads(line)))
    except tomllib.TOMLDecodeError:
        return ()


def _names(table: object) -> Iterator[str]:
    while isinstance(table, dict) and table:
        (name, table), *_ = table.items()
        yield name
