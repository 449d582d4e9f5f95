"""Expansion: ids replaced by the objects they name, and fields that exist only when asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from paydesk.emulator.kernel import contract
from paydesk.emulator.kernel.document import from_text, to_text
from paydesk.emulator.kernel.errors import invalid

if TYPE_CHECKING:
    from paydesk.emulator.kernel.kinds import Kind
    from paydesk.emulator.kernel.world import World

DEPTH_MAX = 4


def expanded(world: World, shown: dict[str, Any], paths: list[str]) -> dict[str, Any]:
    """A copy of an object or a list with every path followed.

    Only the first part of a path must exist; deeper parts that lead nowhere are ignored.
    """
    # The copy keeps documents' place in the world out of what is shown.
    copy: dict[str, Any] = from_text(to_text(shown))
    for path in paths:
        parts = path.split(".")
        if len(parts) > DEPTH_MAX:
            raise invalid(
                f"You cannot expand more than {DEPTH_MAX} levels of a property. Property: {path}",
                code="property_expansion_max_depth",
            )
        _check_first(world, copy, parts)
        _follow(world, copy, parts)
    return copy


def _check_first(world: World, shown: dict[str, Any], parts: list[str]) -> None:
    first = parts[0]
    if shown.get("object") in ("list", "search_result"):
        if first == "total_count" and shown["object"] == "list":
            raise invalid("This property cannot be included (total_count)")
        if first not in ("data", "total_count"):
            raise invalid(
                f"This property cannot be expanded ({first}). You may want to try expanding 'data.{first}' instead."
            )
        return
    kind = world.kinds.get(shown.get("object", ""))
    if kind is None or _leads_somewhere(kind, first):
        return
    if first in shown:
        raise invalid(f"This property cannot be expanded ({first}).")
    raise invalid(f"This property cannot be expanded because it doesn't exist: {first}.")


def _leads_somewhere(kind: Kind, first: str) -> bool:
    return (
        first in kind.references
        or first in kind.includes
        or any(field.startswith(first + ".") for field in (*kind.references, *kind.embeds, *kind.includes))
        or first in kind.embeds
        # What never refers to anything here can be asked for all the same.
        or any(name.partition(".")[0] == first for name in contract.expandable(kind.name))
    )


def _follow(
    world: World, value: Any, parts: list[str], kind: Kind | None = None, prefix: str = "", owner: str = ""
) -> None:
    """Walk one path, replacing what it meets. `prefix` is where inside `kind`, the type of the `owner`, we are."""
    if isinstance(value, list):
        for item in value:
            _follow(world, item, parts, kind, prefix, owner)
        return
    if not isinstance(value, dict) or not parts:
        return
    own = value.get("object")
    if own in ("list", "search_result"):
        if parts[0] == "data":
            _follow(world, value["data"], parts[1:])
        return
    if own in world.kinds:
        kind, prefix, owner = world.kinds[own], "", value.get("id", "")
    if kind is None:
        return
    name, rest = parts[0], parts[1:]
    field = prefix + name
    if field in kind.includes and name not in value:
        document = world.find(kind.view_of or kind.name, owner)
        included = None if document is None else kind.includes[field](world, document)
        if included is not None:
            value[name] = from_text(to_text(included))
    elif field in kind.references:
        value[name] = _opened(world, kind.references[field], value.get(name))
    _follow(world, value.get(name), rest, kind, field + ".", owner)


def _opened(world: World, kinds: str, held: Any) -> Any:
    """The object an id names: itself, or the stub of a deleted one; a list of ids opens each."""
    if isinstance(held, list):
        return [_opened(world, kinds, item) for item in held]
    if not isinstance(held, str):
        return held
    for kind in kinds.split():
        text = world.text(kind, held)
        if text is not None:
            return from_text(text)
        if world.was_deleted(kind, held):
            if world.kinds[kind].is_remembered:
                return from_text(to_text(world.ever(kind, held)))
            return {"id": held, "object": kind, "deleted": True}
    return held
