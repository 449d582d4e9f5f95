"""Lists: newest first, a page at a time, narrowed by indexed fields, never slower for being long.

Pages follow the order of creation, which has no ties, and not the creation time, which has.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from paydesk.emulator.kernel.document import from_text, to_text
from paydesk.emulator.kernel.errors import StripeError, invalid
from paydesk.emulator.kernel.links import indexed, value_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from paydesk.emulator.kernel.kinds import Kind
    from paydesk.emulator.kernel.world import World

LIMIT_DEFAULT = 10
LIMIT_MAX = 100
_COMPARISONS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


@dataclass(frozen=True)
class Page:
    """One page of a list: the texts of its objects, and whether there are more in the direction of travel."""

    url: str
    texts: list[str]
    has_more: bool
    total_count: int | None = None

    def text(self) -> str:
        """The list envelope, from texts that are already JSON."""
        total = "" if self.total_count is None else f',"total_count":{self.total_count}'
        more = "true" if self.has_more else "false"
        data = ",".join(self.texts)
        return f'{{"object":"list","url":{json.dumps(self.url)},"has_more":{more},"data":[{data}]{total}}}'

    def value(self) -> dict[str, Any]:
        """The list envelope as values, for embedding in an object."""
        envelope: dict[str, Any] = from_text(self.text())
        return envelope


def page(
    world: World,
    kind: Kind,
    url: str,
    params: dict[str, Any],
    *,
    narrowed_by: tuple[str, ...] = (),
    hides_clocks: bool = False,
) -> Page:
    """The page that `limit`, `starting_after`, `ending_before`, `created` and the filters ask for.

    `narrowed_by` names the parameters that are filters; each is one of the kind's indexed fields, or its id, or what
    no object of the kind has here (a connected account, a test clock): that finds nothing. Where the parameter has
    another name than the field, both stand there: `lookup_keys=lookup_key`. A parameter that holds several values asks
    for the objects that have any of them, one that holds bounds (`due_date[gte]`) for those within. `hides_clocks`
    leaves out what lives on a test clock.
    """
    limit, after, before = _asked(params)
    backwards = before is not None
    cursor = None
    if after:
        cursor = _seq(world, kind, "starting_after", after)
    elif before:
        cursor = _seq(world, kind, "ending_before", before)
    filters = _filters(params, narrowed_by)
    texts: list[str] = []
    bounds = _bounds(params, narrowed_by)
    for text in _rows(world, kind, filters, bounds, cursor, backwards=backwards, hides_clocks=hides_clocks):
        texts.append(text)
        if len(texts) > limit:
            break
    has_more = len(texts) > limit
    del texts[limit:]
    if backwards:
        texts.reverse()
    return Page(url, texts, has_more)


def nested(world: World, kind: Kind, url: str, field: str, value: str, *, limit: int = LIMIT_DEFAULT) -> dict[str, Any]:
    """A list inside another object: its newest children, and how many there are."""
    (total,) = world.db.execute(
        "SELECT count(*) FROM links WHERE sandbox = ? AND kind = ? AND field = ? AND value = ?",
        (world.sandbox.number, kind.name, field, value),
    ).fetchone()
    inner = page(world, kind, url, {"limit": limit, field: value}, narrowed_by=(field,))
    return Page(url, inner.texts, inner.has_more, total).value()


def kept(items: Sequence[dict[str, Any]], params: dict[str, Any], url: str, kind: Kind) -> Page:
    """The page of what an object holds in an order of its own, whole: its lines."""
    limit, after, before = _asked(params)
    if before:
        end = place_of(items, before, kind, "ending_before")
        start = max(0, end - limit)
        return _page_of(items[start:end], url, has_more=start > 0)
    start = place_of(items, after, kind, "starting_after") + 1 if after else 0
    return _page_of(items[start : start + limit], url, has_more=len(items) > start + limit)


def place_of(items: Sequence[dict[str, Any]], identifier: str, kind: Kind, param: str) -> int:
    """Where among such items one stands. Raises 400 where it does not."""
    for place, item in enumerate(items):
        if item["id"] == identifier:
            return place
    raise StripeError(kind.no_such(identifier), code="resource_missing", param=param)


def _asked(params: dict[str, Any]) -> tuple[int, str | None, str | None]:
    """How many, after which, or before which."""
    limit = min(max(params.get("limit", LIMIT_DEFAULT), 1), LIMIT_MAX)
    after, before = params.get("starting_after"), params.get("ending_before")
    if after and before:
        raise invalid("Received both starting_after and ending_before parameters. Please pass in only one.")
    return limit, after, before


def _page_of(items: Sequence[dict[str, Any]], url: str, *, has_more: bool) -> Page:
    return Page(url, [to_text(item) for item in items], has_more)


def _seq(world: World, kind: Kind, param: str, identifier: str) -> int:
    row = world.db.execute(
        "SELECT seq FROM objects WHERE kind = ? AND id = ? AND sandbox = ? AND deleted = 0",
        (kind.name, identifier, world.sandbox.number),
    ).fetchone()
    if row is None:
        raise StripeError(kind.no_such(identifier), code="resource_missing", param=param)
    return int(row[0])


def _filters(params: dict[str, Any], narrowed_by: tuple[str, ...]) -> dict[str, list[str]]:
    """The values that each field may have, as the index holds them."""
    filters = {}
    for name in narrowed_by:
        param, _, field = name.partition("=")
        value = value_at(params, param)
        if value is not None and not isinstance(value, dict):
            filters[field or param] = [indexed(one) for one in (value if isinstance(value, list) else [value])]
    return filters


def _bounds(params: dict[str, Any], narrowed_by: tuple[str, ...]) -> list[tuple[str, str, int]]:
    """Conditions on times: what is compared, how, and with what. `created` may be an exact second, too."""
    created = params.get("created")
    if created is not None and not isinstance(created, dict):
        return [("o.created", "=", created)]
    bounds = [("o.created", _COMPARISONS[name], bound) for name, bound in (created or {}).items()]
    for name in narrowed_by:
        param, _, field = name.partition("=")
        value = value_at(params, param)
        if isinstance(value, dict):
            held = f"json_extract(o.body, '$.{field or param}')"
            bounds += [(held, _COMPARISONS[comparison], bound) for comparison, bound in value.items()]
    return bounds


def _rows(
    world: World,
    kind: Kind,
    filters: dict[str, list[str]],
    bounds: list[tuple[str, str, int]],
    cursor: int | None,
    *,
    backwards: bool,
    hides_clocks: bool,
) -> Iterator[str]:
    """The texts of matching objects in the direction of travel, read as they are asked for."""
    direction, beyond = ("ASC", ">") if backwards else ("DESC", "<")
    arguments: list[Any] = [world.sandbox.number, kind.name]
    ids = filters.pop("id", None)
    if filters:
        (field, values), *others = filters.items()
        source = (
            "links l JOIN objects o ON o.seq = l.seq WHERE l.sandbox = ? AND l.kind = ? AND l.field = ? "
            f"AND l.value IN ({', '.join('?' * len(values))}) AND o.deleted = 0"
        )
        order = "l.seq"
        arguments += [field, *values]
        for other, wanted in others:
            source += (
                " AND EXISTS (SELECT 1 FROM links m WHERE m.sandbox = l.sandbox AND m.kind = l.kind "
                "AND m.field = ? AND m.value IN (SELECT value FROM json_each(?)) AND m.seq = l.seq)"
            )
            arguments += [other, json.dumps(wanted)]
    else:
        source = "objects o WHERE o.sandbox = ? AND o.kind = ? AND o.deleted = 0"
        order = "o.seq"
    if ids is not None:
        source += " AND o.id IN (SELECT value FROM json_each(?))"
        arguments.append(json.dumps(ids))
    if hides_clocks:
        source += " AND json_extract(o.body, '$.test_clock') IS NULL"
    if cursor is not None:
        source += f" AND {order} {beyond} ?"
        arguments.append(cursor)
    for held, comparison, bound in bounds:
        source += f" AND {held} {comparison} ?"
        arguments.append(bound)
    found = world.db.execute(f"SELECT o.body FROM {source} ORDER BY {order} {direction}", arguments)  # noqa: S608 - every part is ours
    for (body,) in found:
        yield body
