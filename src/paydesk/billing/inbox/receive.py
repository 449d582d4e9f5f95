"""Receiving: an event is kept before anything it says is believed.

Size, signature, sense, mode, then the row, then its commit; only then may the web framework answer 200. Stripe is not
asked and no handler runs: that is the worker's part, and it has all the time it needs.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from paydesk.billing.log import get_logger
from paydesk.billing.mirror.refs import Json, lane_of
from paydesk.billing.store.arrivals import Arrival
from paydesk.billing.watch import Watch
from paydesk.errors import MalformedEvent, PayloadTooLarge, WrongMode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from paydesk.billing.inbox.group_commit import GroupCommit
    from paydesk.billing.inbox.signature import Signatures
    from paydesk.billing.watch import Act

logger = get_logger(__name__)

# Several times the largest event seen. A web adapter can stop reading a body here.
BODY_BYTES_MAX = 2 * 1024 * 1024


@dataclass(frozen=True)
class Receipt:
    """The event is on disk. `is_duplicate`: it already was, and if it was unfinished it is now due again."""

    event_id: str
    is_duplicate: bool


class Receiver:
    """Takes webhooks in. Safe to call from many threads and event loops at once: they share commits."""

    def __init__(
        self,
        signatures: Signatures,
        commits: GroupCommit,
        *,
        livemode: bool,
        now: Callable[[], datetime],
        watch: Watch | None = None,
    ) -> None:
        self._signatures = signatures
        self._commits = commits
        self._livemode = livemode
        self._now = now
        self._watch = watch or Watch()

    def receive(self, body: bytes, header: str | None) -> Receipt:
        """Check and keep one webhook; returns once it is committed.

        Raises PayloadTooLarge, SignatureRefused, MalformedEvent or WrongMode for a webhook that is not ours to keep.
        Any other exception means that it was not kept: answer with an error, and Stripe will deliver it again.
        """
        with self._watch.during("receive") as act:
            arrival = self._check(body, header, act)
            return _receipt(arrival, act, is_new=self._commits.insert(arrival))

    async def receive_async(self, body: bytes, header: str | None) -> Receipt:
        """The same for an event loop, which is free while the commit is under way."""
        with self._watch.during("receive") as act:
            arrival = self._check(body, header, act)
            return _receipt(arrival, act, is_new=await self._commits.insert_async(arrival))

    def keep(self, events: Iterable[Json]) -> int:
        """Keep events that we fetched from Stripe ourselves, which need no signature; answers how many are new.

        Returns once they are committed. What could never be received is passed over, and said.
        """
        now, arrivals = self._now(), []
        for event in events:
            try:
                arrival = arrival_of(event, json.dumps(event, ensure_ascii=False, separators=(",", ":")), now)
                self._check_mode(arrival)
            except (MalformedEvent, WrongMode) as refusal:
                logger.error("Stripe lists an event that cannot be kept, %s: %s", event.get("id"), refusal)  # noqa: TRY400 - the refusal says it all
            else:
                arrivals.append(arrival)
        return sum(self._commits.insert_all(arrivals))

    def _check(self, body: bytes, header: str | None, act: Act) -> Arrival:
        act.outcome = "refused"
        if len(body) > BODY_BYTES_MAX:
            raise PayloadTooLarge(BODY_BYTES_MAX)
        now = self._now()
        self._signatures.check(body, header, now)
        arrival = parse(body, now)
        self._check_mode(arrival)
        act.outcome, act.about = "", {"event": arrival.id, "event_type": arrival.type}
        return arrival

    def _check_mode(self, arrival: Arrival) -> None:
        if arrival.livemode != self._livemode:
            raise WrongMode(arrival.id, livemode=arrival.livemode)


def _receipt(arrival: Arrival, act: Act, *, is_new: bool) -> Receipt:
    act.outcome = "new" if is_new else "duplicate"
    return Receipt(arrival.id, is_duplicate=not is_new)


def parse(body: bytes, now: datetime) -> Arrival:
    """What the body says, as columns. Raises MalformedEvent if it is not a snapshot event."""
    try:
        payload = body.decode()
        event = json.loads(payload)
    except (ValueError, RecursionError):
        raise MalformedEvent("the body is not JSON") from None
    return arrival_of(event, payload, now)


def arrival_of(event: Any, payload: str, now: datetime) -> Arrival:
    """The columns of an event, whether it was delivered or read from Stripe's list of events."""
    if not isinstance(event, dict) or event.get("object") != "event":
        raise MalformedEvent("the body is not an event")
    try:
        subject = event["data"]["object"]
        arrival = Arrival(
            id=event["id"],
            type=event["type"],
            lane=lane_of(subject),
            object_id=subject.get("id"),
            object_type=subject.get("object"),
            livemode=event["livemode"],
            api_version=event.get("api_version"),
            created=event["created"],
            payload=payload,
            received_at=now,
        )
    except (KeyError, TypeError, AttributeError):
        raise MalformedEvent("the event lacks its id, type, livemode, created or data.object") from None
    if not (
        isinstance(arrival.id, str)
        and isinstance(arrival.type, str)
        and isinstance(arrival.livemode, bool)
        and isinstance(arrival.created, int)
        and isinstance(arrival.object_id, str | None)
        and isinstance(arrival.object_type, str | None)
        and isinstance(arrival.api_version, str | None)
    ):
        raise MalformedEvent("the event's id, type, livemode or created is of the wrong kind")
    return arrival
