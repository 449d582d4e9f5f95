"""Stripe's search language: what a query asks, and whether an object is what it asks for.

A query is clauses side by side, `field:"value"`, all of which must hold (`AND`, also
unwritten) or any (`OR`); the two are never mixed, and there are no brackets. `~` finds
a part of a text, `>`, `>=`, `<`, `<=` compare numbers, `-` before a clause turns it
round, and `field:null` asks whether there is nothing there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from paydesk.emulator.kernel.errors import StripeError, invalid
from paydesk.emulator.kernel.links import indexed, value_at

CLAUSES_MAX: Final = 10
SUBSTRING_LENGTH_MIN: Final = 3

_CLAUSE: Final = re.compile(
    r"""
    (?P<minus>-)?
    (?P<field>[A-Za-z_][\w.]*)
    (?:\[(?P<key>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')\])?
    (?P<operator>[:~]|>=|<=|[<>=])
    (?P<value>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s"']+)
    (?=\s|$)
    """,
    re.VERBOSE | re.DOTALL,
)
_JOINT: Final = re.compile(r"\s*(?:\b(AND|OR)\b)?\s*", re.IGNORECASE)

_UNREADABLE: Final = (
    'We were unable to parse your search query. Try using the format `metadata["key"]:"value"` to query for metadata '
    'or key:"value" to query for other fields.'
)


@dataclass(frozen=True)
class Clause:
    """One condition. `value` is None where it asks for nothing being there."""

    field: str
    key: str | None
    operator: str
    value: str | None
    is_negated: bool

    def holds(self, document: Mapping[str, Any]) -> bool:
        """Whether the object is what the clause asks for."""
        return self._meets(self._found_in(document)) != self.is_negated

    def _found_in(self, document: Mapping[str, Any]) -> Any:
        found = value_at(dict(document), self.field)
        if self.key is not None:
            return (found or {}).get(self.key)
        return found

    def _meets(self, found: Any) -> bool:
        if self.value is None:
            return found is None
        if found is None:
            return False
        if self.operator == "~":
            return self.value.casefold() in indexed(found).casefold()
        if self.operator == ":" or isinstance(found, (str, bool)):
            return indexed(found).casefold() == self.value.casefold()
        return _compare(found, self.operator, float(self.value))


@dataclass(frozen=True)
class Query:
    """A question about objects of one kind: all of its clauses must hold, or any of them."""

    clauses: tuple[Clause, ...]
    is_any: bool

    def holds(self, document: Mapping[str, Any]) -> bool:
        """Whether the object is an answer."""
        outcomes = (clause.holds(document) for clause in self.clauses)
        return any(outcomes) if self.is_any else all(outcomes)


def parse(text: str, fields: Mapping[str, str], resource: str) -> Query:
    """A query as it was sent. `fields` are those that can be asked for, each with its type: token, text or number.

    Raises:
        StripeError: 400, where it cannot be read or asks for a field that cannot be searched.
    """
    clauses: list[Clause] = []
    joints: set[str] = set()
    for clause, joint in _read(text.strip()):
        if clause.field not in fields or (clause.key is None) == (fields[clause.field] == "map"):
            shown = clause.field if clause.key is None else f"{clause.field}[{clause.key}]"
            raise invalid(
                f"Field `{shown}` is an unsupported search field for resource `{resource}`. See "
                f"http://stripe.com/docs/search#query-fields-for-{resource.replace('_', '-')} "
                "for a list of supported fields."
            )
        _check_operator(clause, fields[clause.field])
        clauses.append(clause)
        joints.add(joint)
    if len(clauses) > CLAUSES_MAX:
        raise invalid(f"A search query can have up to {CLAUSES_MAX} clauses, but yours has {len(clauses)}.")
    joints.discard("")
    if len(joints) > 1:
        raise invalid("`AND` and `OR` cannot be used in the same search query.")
    return Query(tuple(clauses), joints == {"OR"})


def _read(text: str) -> Iterator[tuple[Clause, str]]:
    """Clauses, each with the word that joins it to the one before: AND, OR or nothing for the first."""
    joint, at = "", 0
    while True:
        found = _CLAUSE.match(text, at)
        if found is None:
            raise _unreadable()
        yield _clause(found), joint
        at = found.end()
        if at == len(text):
            return
        between = _JOINT.match(text, at)
        joint = (between[1] or "AND").upper() if between else "AND"
        at = between.end() if between else at


def _clause(found: re.Match[str]) -> Clause:
    written, key = found["value"], found["key"]
    is_quoted = written[0] in "\"'"
    is_null = not is_quoted and written.lower() == "null" and found["operator"] == ":"
    if not (is_quoted or is_null or _number(written) is not None):
        raise _unreadable()
    return Clause(
        found["field"],
        None if key is None else _unquoted(key),
        found["operator"],
        None if is_null else _unquoted(written) if is_quoted else written,
        found["minus"] is not None,
    )


def _check_operator(clause: Clause, kind: str) -> None:
    if clause.operator == "~" and kind != "text":
        raise invalid(f"The `~` operator is not supported for the field `{clause.field}`: it finds parts of texts.")
    if clause.operator == "~" and len(clause.value or "") < SUBSTRING_LENGTH_MIN:
        raise invalid(f"A value after `~` must have at least {SUBSTRING_LENGTH_MIN} characters.")
    if clause.operator in (":", "~"):
        return
    if kind != "number":
        raise invalid(
            f"The `{clause.operator}` operator is not supported for the field `{clause.field}`: it compares numbers."
        )
    if _number(clause.value or "") is None:
        raise invalid(f"The field `{clause.field}` is compared with a number, not with `{clause.value}`.")


def _compare(found: float, operator: str, bound: float) -> bool:
    match operator:
        case ">":
            return found > bound
        case ">=":
            return found >= bound
        case "<":
            return found < bound
        case "<=":
            return found <= bound
        case _:
            return found == bound


def _number(written: str) -> float | None:
    return float(written) if re.fullmatch(r"-?\d{1,18}(\.\d{1,18})?", written, re.ASCII) else None


def _unquoted(written: str) -> str:
    return re.sub(r"\\(.)", r"\1", written[1:-1], flags=re.DOTALL)


def _unreadable() -> StripeError:
    return invalid(_UNREADABLE)
