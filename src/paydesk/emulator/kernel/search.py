"""Search: the objects that answer a query, newest first, a page at a time.

Stripe's index lags behind its writes by up to a minute. Here what was written can be
found at once: read-after-write is a mistake that only Stripe's own servers can show.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from paydesk.emulator.kernel import lists, query
from paydesk.emulator.kernel.document import from_text
from paydesk.emulator.kernel.errors import invalid
from paydesk.emulator.kernel.routes import Call, Route, words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from paydesk.emulator.kernel.kinds import Kind
    from paydesk.emulator.kernel.world import World

TOKEN_LENGTH_SHOWN_MAX: Final = 1000
_SEQ_MAX: Final = 2**63 - 1


def search(path: str, kind: Kind, *, fields: str) -> Route:
    """GET the objects that answer a query.

    `fields` are the names that can be asked for, each with its type after a colon where it is not a
    plain token: `email:text amount:number metadata:map`. Dotted where they nest.
    """
    searchable = dict(field.partition(":")[::2] for field in fields.split())
    resource = path.split("/")[2]

    def run(call: Call) -> dict[str, Any]:
        return _answer(call, kind, query.parse(call.params["query"], searchable, resource))

    return Route("GET", path, run, uses=words("query limit page"), area=kind.area)


def _answer(call: Call, kind: Kind, asked: query.Query) -> dict[str, Any]:
    limit = _limit(call.params.get("limit", lists.LIMIT_DEFAULT))
    mark = hashlib.blake2b(call.params["query"].encode(), digest_size=6).hexdigest()
    page = call.params.get("page")
    below = _SEQ_MAX if page is None else _opened(page, mark)
    found = list(islice(_found(call.world, kind, asked, below), limit + 1))
    has_more = len(found) > limit
    answer = {
        "object": "search_result",
        "url": call.url,
        "has_more": has_more,
        "data": [document for _, document in found[:limit]],
        "next_page": _token(found[limit - 1][0], mark) if has_more else None,
    }
    if "total_count" in (call.params.get("expand") or ()):
        answer["total_count"] = sum(1 for _ in _found(call.world, kind, asked, _SEQ_MAX))
    return answer


def _found(world: World, kind: Kind, asked: query.Query, below: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """The answers older than a place in the order of creation, newest first."""
    rows = world.db.execute(
        "SELECT seq, body FROM objects WHERE sandbox = ? AND kind = ? AND deleted = 0 AND seq < ? ORDER BY seq DESC",
        (world.sandbox.number, kind.name, below),
    )
    for seq, body in rows:
        document = from_text(body)
        if asked.holds(document):
            yield seq, document


def _limit(asked: int) -> int:
    if asked < 1:
        raise invalid("This value must be greater than or equal to 1.", code="parameter_invalid_integer", param="limit")
    if asked > lists.LIMIT_MAX:
        raise invalid(
            f"This value must be less than or equal to {lists.LIMIT_MAX} (it currently is '{asked}').",
            code="parameter_invalid_integer",
            param="limit",
        )
    return asked


def _token(seq: int, mark: str) -> str:
    """What leads to the objects older than this one. It belongs to the query it was given for."""
    return base64.urlsafe_b64encode(f"{mark}:{seq}".encode()).decode()


def _opened(token: str, mark: str) -> int:
    try:
        its_mark, _, seq = base64.b64decode(token, altchars=b"-_", validate=True).decode().partition(":")
    except (binascii.Error, UnicodeError, ValueError):
        its_mark, seq = "", ""
    if its_mark != mark or not (seq.isdecimal() and seq.isascii() and len(seq) < 19):
        shown = token if len(token) <= TOKEN_LENGTH_SHOWN_MAX else f"{token[:100]}...{token[-100:]}"
        raise invalid(f"{shown} is an invalid page.", param=shown)
    return int(seq)
