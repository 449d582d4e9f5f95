"""Deciding: whether an event's object must be read from Stripe, or not.

Reading is always right: a read that begins after an event was noted cannot be older than that event. The other answers
save a call where it is certain that they come to the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# Stripe's stamps are whole seconds and one checkout makes several updates: nearer than this, order is unknown.
AMBIGUITY_WINDOW_SECONDS = 5

Answer = Literal["apply", "ignore", "read"]


@dataclass(frozen=True)
class Known:
    """What the mirror knows of the object. Stamps are Stripe's own, in unix seconds; None where unknown.

    `seen_at`: the newest event the row accounts for. `payload_at`: the event whose payload the row is, if it is one.
    """

    seen_at: int | None
    payload_at: int | None
    is_deleted: bool


@dataclass(frozen=True)
class Told:
    """What an event says about its own place in time, and about the object.

    `is_whole`: its payload is all there is to know. `is_deletion`: the object is gone for good. `is_telling`: it names
    a fact by having happened.
    """

    created: int
    livemode: bool
    is_whole: bool
    is_deletion: bool = False
    is_telling: bool = False


def decide(known: Known | None, told: Told) -> Answer:
    """What to do with the payload.

    | the event                                     | answer | because                                               |
    |-----------------------------------------------|--------|-------------------------------------------------------|
    | says the object is deleted                    | apply  | nothing comes after that                              |
    | is about a deleted object                     | ignore | an id is never used again                             |
    | is of test mode                               | read   | a test clock makes stamps that say nothing            |
    | names a fact by having happened               | read   | it is told of the object as it is now                 |
    | is older than one the row accounts for        | ignore | the row was read, or told, later                      |
    | does not hold the whole object                | read   | the row needs more                                    |
    | is about an object never seen                 | apply  | there is no row it could be older than                |
    | is newer than the payload the row is          | apply  | both stamps are Stripe's, and far enough apart        |
    | is anything else                              | read   | which is newer is unknown                             |
    """
    if told.is_deletion:
        return "apply"
    if known and known.is_deleted:
        return "ignore"
    if not told.livemode or told.is_telling:
        return "read"
    if known and known.seen_at is not None and told.created < known.seen_at - AMBIGUITY_WINDOW_SECONDS:
        return "ignore"
    if not told.is_whole:
        return "read"
    if known is None:
        return "apply"
    if known.payload_at is not None and told.created > known.payload_at + AMBIGUITY_WINDOW_SECONDS:
        return "apply"
    return "read"
