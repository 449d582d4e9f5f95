"""Endpoints: what a resource offers under which URL, and what it makes of each parameter.

Every parameter that Stripe knows gets one of three answers. Those in `uses` are
modelled. Those in `refuses` would make an amount, a state or an authorisation wrong
if they were ignored, so they are a 400 that says so. All others are checked by type,
kept where the object shows them, and named in the answer's Paydesk-No-Effect header.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from paydesk.emulator.kernel import lists
from paydesk.emulator.kernel.errors import invalid

if TYPE_CHECKING:
    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.kinds import Kind
    from paydesk.emulator.kernel.world import World


@dataclass
class Call:
    """One request, understood: where it came, what it carries, and the world it acts on.

    `params` are typed and checked; a parameter sent empty to be unset is None.
    `without_effect` are the sent parameters that nothing here acts on.
    `is_public` is true when a publishable key makes the call: the client secret must then match.
    """

    world: World
    path: Mapping[str, str]
    params: dict[str, Any]
    url: str
    without_effect: tuple[str, ...] = ()
    is_public: bool = False

    def echo(self, document: Document) -> None:
        """Show the parameters without effect where the object has a field for them."""
        for name in self.without_effect:
            top, *below = name.split(".")
            # Lists of groups and groups that are not there yet have a shape of their own: the resource gives it.
            if below and not (isinstance(document.get(top), dict) and isinstance(self.params[top], dict)):
                continue
            _echo(document, self.params, [top, *below])


# A document, a page of a list, any other JSON object, or the text of one.
Answer = "Document | lists.Page | dict[str, Any] | str"
Run = Callable[[Call], "Document | lists.Page | dict[str, Any] | str"]

ALWAYS_USED = frozenset({"expand"})


@dataclass(frozen=True)
class Route:
    """An endpoint.

    `path` is the template as the SDK writes it. `uses` and `refuses` hold dotted names without indices;
    a name covers everything below it, and the longest name that covers a parameter decides.
    `area` is the word restricted keys' permissions use. `is_public` lets publishable keys call it.
    `is_listed` is false for the few URLs that Stripe's own pages use and no SDK knows.
    """

    method: str
    path: str
    run: Run
    uses: frozenset[str] = frozenset()
    refuses: Mapping[str, str] = field(default_factory=dict)
    area: str = ""
    is_public: bool = False
    is_listed: bool = True

    def without_effect(self, sent: Iterable[str]) -> tuple[str, ...]:
        """Of the parameters sent, those without effect. Raises for those that must not be ignored."""
        idle = []
        for name in sent:
            covering = self.covering(name)
            if covering is None:
                idle.append(name)
            elif covering in self.refuses:
                raise invalid(
                    f"The local Stripe does not model `{name}` yet, and ignoring it would give a wrong answer: "
                    f"{self.refuses[covering]}",
                    param=_bracketed(name),
                )
        return tuple(idle)

    def covering(self, name: str) -> str | None:
        """Which name in `uses` or `refuses` decides about a parameter; None: nothing here acts on it."""
        while name:
            if name in self.refuses or name in self.uses or name in ALWAYS_USED:
                return name
            name = name.rpartition(".")[0]
        return None


def _echo(shown: dict[str, Any], given: Mapping[str, Any], path: list[str]) -> None:
    name, *below = path
    if name not in shown or name not in given:
        return
    old, new = shown[name], given[name]
    if below and isinstance(old, dict) and isinstance(new, dict):
        _echo(old, new, below)
    elif not below or isinstance(new, list):
        # A group or a list that is unset is an empty one.
        emptied = type(old)() if isinstance(old, (dict, list)) else None
        shown[name] = emptied if new is None else new


def words(text: str) -> frozenset[str]:
    """Names written side by side."""
    return frozenset(text.split())


def retrieve(path: str, kind: Kind, *, is_public: bool = False) -> Route:
    """GET one object by the id at the end of its path."""

    def run(call: Call) -> Document | dict[str, Any] | str:
        (identifier,) = call.path.values()
        if "expand" not in call.params:
            text = call.world.text(kind.name, identifier)
            if text is not None:
                return text
        if kind.answers_when_deleted and call.world.was_deleted(kind.name, identifier):
            return {"id": identifier, "object": kind.name, "deleted": True}
        return call.world.get(kind.name, identifier)

    return Route("GET", path, run, area=kind.area, is_public=is_public)


def listing(path: str, kind: Kind, *, filters: str = "", on_clocks_if: str | None = None) -> Route:
    """GET a page of objects, narrowed by the named filters, as `lists.page` reads them.

    `on_clocks_if` names the parameters of which one must be given for objects on test clocks to be listed at all;
    None: they are listed like all others.
    """
    narrowed_by = tuple(filters.split())
    reveals = None if on_clocks_if is None else words(on_clocks_if)

    def run(call: Call) -> lists.Page:
        hides_clocks = reveals is not None and not reveals & call.params.keys()
        return lists.page(call.world, kind, call.url, call.params, narrowed_by=narrowed_by, hides_clocks=hides_clocks)

    params = frozenset(name.partition("=")[0] for name in narrowed_by)
    uses = words("limit starting_after ending_before created") | params
    return Route("GET", path, run, uses=uses, area=kind.area)


def _bracketed(name: str) -> str:
    first, *rest = name.split(".")
    return first + "".join(f"[{part}]" for part in rest)
