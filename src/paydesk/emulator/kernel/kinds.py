"""What the kernel must know of a type of object to find, list, expand and miss it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.world import World

Include = Callable[["World", "Document"], Any]


@dataclass(frozen=True)
class Kind:
    """A type of Stripe object.

    `filters` are the top-level fields that lists and look-ups narrow by; they are indexed.
    `references` maps a field (dotted where it nests) to the kind its id names: what `expand` can follow. Where
    it may be one of several, their names stand side by side.
    `embeds` names fields that hold whole objects, which expansion walks through.
    `includes` maps a field (dotted where it nests) that is absent unless expanded to what fills it (None: it stays
    absent).
    `missing` is Stripe's sentence for an id that is not there, `missing_param` the param it names
    when that id was in the path (None: it names none).
    `view_of` is the kind of which this one is another look: it has no documents of its own, and the same ids.
    `answers_when_deleted` is true for the one object that is still there, as a stub, after its deletion.
    `is_remembered` is true where what refers to a deleted object still shows it whole, and not as a stub.
    """

    name: str
    prefix: str
    missing: str = ""
    missing_param: str | None = "id"
    filters: tuple[str, ...] = ()
    references: Mapping[str, str] = field(default_factory=dict)
    embeds: tuple[str, ...] = ()
    includes: Mapping[str, Include] = field(default_factory=dict)
    view_of: str = ""
    answers_when_deleted: bool = False
    is_remembered: bool = False

    def no_such(self, identifier: str) -> str:
        """Stripe's sentence for an id it does not have."""
        return (self.missing or f"No such {self.name}: '%s'").replace("%s", identifier)

    @property
    def area(self) -> str:
        """The word restricted keys' permissions use for it: `rak_<area>_write`."""
        return self.name.replace(".", "_")
