"""The armory: which faults are armed in which sandbox, and whether one strikes now.

A fault strikes the next so many requests or deliveries it fits, or a share of them
that a seed decides: the same seed and the same order of calls give the same faults.
Armed faults are kept in memory: a server that starts anew has those it was started with.
"""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from paydesk.emulator.deliveries.outbox import Plan
from paydesk.emulator.faults.fault import ApiFault, DeliveryFault

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from paydesk.emulator.kernel.document import Document
    from paydesk.emulator.kernel.kernel import Admitted
    from paydesk.emulator.kernel.sandboxes import Sandbox
    from paydesk.emulator.kernel.world import World


@dataclass(frozen=True)
class Target:
    """What a fault fits. Each part is a pattern with `*`; an empty one fits everything.

    `method` and `path` are a request's, `event` is the type of a delivered event, `webhook_endpoint` its receiver.
    """

    method: str = ""
    path: str = ""
    event: str = ""
    webhook_endpoint: str = ""


@dataclass(frozen=True)
class Order:
    """Which fault is to strike, what, and how often: the next `times` (None: no end), each with the chance `rate`."""

    fault: ApiFault | DeliveryFault
    target: Target = Target()
    times: int | None = 1
    rate: float = 1.0
    seed: int = 0


@dataclass
class Armed:
    """An order that waits to strike, `times` more."""

    id: str
    order: Order
    times: int | None = field(init=False)
    struck: int = 0
    _chance: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.times = self.order.times
        # Of two faults with one seed, each has luck of its own: a drop that only ever hits duplicates loses nothing.
        chance = f"{self.order.seed} {self.order.fault.name}"
        self._chance = random.Random(chance)  # noqa: S311 - chance that can be repeated, no secret

    @property
    def fault(self) -> ApiFault | DeliveryFault:
        return self.order.fault

    def strikes(self, **meeting: str) -> bool:
        """Whether it strikes a request or delivery with these properties; counts it when it does."""
        if self.times == 0:
            return False
        for name, value in meeting.items():
            pattern = getattr(self.order.target, name)
            if pattern and not fnmatchcase(value, pattern):
                return False
        if self._chance.random() >= self.order.rate:
            return False
        self.struck += 1
        if self.times is not None:
            self.times -= 1
        return True

    def shown(self) -> dict[str, Any]:
        """It, as JSON shows it."""
        options = asdict(self.fault)
        return {
            "id": self.id,
            "fault": self.fault.name,
            **options,
            **{name: value for name, value in asdict(self.order.target).items() if value},
            "times": self.times,
            "rate": self.order.rate,
            "seed": self.order.seed,
            "struck": self.struck,
        }


class Armory:
    """The armed faults of one server. Every sandbox begins with the `standing` ones, each with luck of its own."""

    def __init__(self, standing: Sequence[Order] = ()) -> None:
        self._standing = standing
        self._armed: dict[int, list[Armed]] = {}
        self._count = 0

    def arm(self, sandbox: Sandbox, order: Order) -> Armed:
        """Let a fault wait for what it fits in a sandbox."""
        armed = self._new(order)
        self._of(sandbox).append(armed)
        return armed

    def armed(self, sandbox: Sandbox) -> list[Armed]:
        """The faults of a sandbox in the order they were armed, spent ones too."""
        return list(self._of(sandbox))

    def disarm(self, sandbox: Sandbox, identifier: str | None = None) -> None:
        """Take one fault away, or all of a sandbox's, standing ones too."""
        kept = [] if identifier is None else [one for one in self._of(sandbox) if one.id != identifier]
        self._armed[sandbox.number] = kept

    def begin_again(self, sandbox: Sandbox) -> None:
        """Leave a sandbox the faults it began with, as new."""
        self._armed.pop(sandbox.number, None)

    def at_request(self, admitted: Admitted) -> Sequence[ApiFault]:
        """The faults that strike a request."""
        armed = self._of(admitted.sandbox)
        if not armed:
            return ()
        method, path = admitted.request.method, admitted.request.path
        return [one.fault for one in armed if isinstance(one.fault, ApiFault) and one.strikes(method=method, path=path)]

    def at_delivery(self, world: World, event_type: str, endpoint: Document) -> Iterable[Plan]:
        """What becomes of a delivery under the faults that strike it."""
        plans = [Plan()]
        for one in self._of(world.sandbox):
            if isinstance(one.fault, DeliveryFault) and one.strikes(event=event_type, webhook_endpoint=endpoint.id):
                plans = [bent for plan in plans for bent in one.fault.bend(plan)]
        return plans

    def _of(self, sandbox: Sandbox) -> list[Armed]:
        if sandbox.number not in self._armed:
            self._armed[sandbox.number] = [self._new(order) for order in self._standing]
        return self._armed[sandbox.number]

    def _new(self, order: Order) -> Armed:
        self._count += 1
        return Armed(f"fault_{self._count}", order)
