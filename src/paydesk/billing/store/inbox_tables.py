"""The tables of the inbox: what arrived, who works on it, what came of it; and what we do at Stripe ourselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, Boolean, Column, Integer, Table, Text, text

from paydesk.billing.store.columns import UtcDateTime, row_number, whole_object

if TYPE_CHECKING:
    from paydesk.billing.store.frame import Frame


def events(frame: Frame) -> Table:
    """The inbox: every event Stripe delivered, in order of arrival, kept before it is believed."""
    return frame.table(
        "events",
        Column("seq", row_number(), primary_key=True),
        Column("id", Text, nullable=False),
        Column("type", Text, nullable=False),
        Column("lane", Text, nullable=False),
        Column("object_id", Text),
        Column("object_type", Text),
        Column("livemode", Boolean, nullable=False),
        Column("api_version", Text),
        Column("created", BigInteger, nullable=False),  # Stripe's stamp: whole seconds, many events share one
        Column("payload", Text, nullable=False),
        Column("state", Text, nullable=False),  # received | applied | parked | dead
        Column("attempts", Integer, nullable=False, server_default=text("0")),
        Column("next_at", UtcDateTime, nullable=False),
        Column("last_error", Text),
        Column("received_at", UtcDateTime, nullable=False),
        Column("applied_at", UtcDateTime),
        frame.unique("events_id", "id"),
        # Only what is unfinished is ever looked for by lane or time, so only that is indexed.
        frame.index(
            "events_unfinished",
            "next_at",
            "lane",
            postgresql_where=text("state IN ('received', 'parked')"),
            sqlite_where=text("state IN ('received', 'parked')"),
        ),
        # What was given up is counted and listed for a person, and there is never much of it.
        frame.index("events_dead", "seq", postgresql_where=text("state = 'dead'"), sqlite_where=text("state = 'dead'")),
        frame.index(
            "events_unfinished_lane",
            "lane",
            postgresql_where=text("state IN ('received', 'parked')"),
            sqlite_where=text("state IN ('received', 'parked')"),
        ),
    )


def lanes(frame: Frame) -> Table:
    """Who may work on which lane. A lease expires; its token only grows, so a holder that overslept is found."""
    return frame.table(
        "lanes",
        Column("lane", Text, primary_key=True),
        Column("due_at", UtcDateTime, nullable=False),
        Column("lease_owner", Text),
        Column("lease_token", BigInteger, nullable=False),
        Column("lease_expires_at", UtcDateTime),
        Column("failures", Integer, nullable=False, server_default=text("0")),
    )


def facts(frame: Frame) -> Table:
    """What happened, named once: `key` is the fact's own name, such as `order.paid:ord_…`."""
    return frame.table(
        "facts",
        Column("seq", row_number(), primary_key=True),
        Column("key", Text, nullable=False),
        Column("type", Text, nullable=False),
        Column("lane", Text),
        Column("body", whole_object(), nullable=False),
        Column("event_id", Text),
        Column("created_at", UtcDateTime, nullable=False),
        Column("relayed_at", UtcDateTime),
        frame.unique("facts_key", "key"),
        frame.index(
            "facts_unrelayed",
            "seq",
            postgresql_where=text("relayed_at IS NULL"),
            sqlite_where=text("relayed_at IS NULL"),
        ),
    )


def handlers(frame: Frame) -> Table:
    """Which handlers there are, in any process: whoever names a fact knows for whom, its own or not."""
    return frame.table(
        "handlers",
        Column("name", Text, primary_key=True),
        Column("topic", Text, nullable=False),  # fact:<type> | event:<type>
        Column("seen_at", UtcDateTime, nullable=False),
        frame.index("handlers_topic", "topic"),
    )


def effects(frame: Frame) -> Table:
    """One row per (fact or event, handler): what the app still has to do, has done, or failed to do."""
    return frame.table(
        "effects",
        Column("id", row_number(), primary_key=True),
        Column("source", Text, nullable=False),  # fact:<key> | event:<id>
        Column("handler", Text, nullable=False),
        Column("state", Text, nullable=False),  # waiting | done | dead
        Column("attempts", Integer, nullable=False, server_default=text("0")),
        Column("next_at", UtcDateTime, nullable=False),
        Column("last_error", Text),
        Column("created_at", UtcDateTime, nullable=False),
        Column("done_at", UtcDateTime),
        frame.unique("effects_source_handler", "source", "handler"),
        frame.index("effects_dead", "id", postgresql_where=text("state = 'dead'"), sqlite_where=text("state = 'dead'")),
        frame.index(
            "effects_waiting",
            "next_at",
            postgresql_where=text("state = 'waiting'"),
            sqlite_where=text("state = 'waiting'"),
        ),
    )


def attempts(frame: Frame) -> Table:
    """Our own writes at Stripe, each with its idempotency key, committed before Stripe is called."""
    return frame.table(
        "attempts",
        Column("key", Text, primary_key=True),
        Column("verb", Text, nullable=False),
        Column("subject", Text, nullable=False),
        Column("params", whole_object(), nullable=False),
        Column("state", Text, nullable=False),  # open | done | failed
        Column("response_id", Text),
        Column("response", whole_object()),
        Column("error", Text),
        Column("created_at", UtcDateTime, nullable=False),
        Column("finished_at", UtcDateTime),
        frame.index("attempts_subject", "subject"),
        frame.index(
            "attempts_open",
            "created_at",
            postgresql_where=text("state = 'open'"),
            sqlite_where=text("state = 'open'"),
        ),
    )


def walks(frame: Frame) -> Table:
    """Our walks through Stripe's lists, page by page: how far each has come, so that one that dies is resumed."""
    return frame.table(
        "walks",
        Column("name", Text, primary_key=True),  # events | a mirrored type | prune
        Column("state", Text, nullable=False),  # idle | due | walking | passed | missing
        Column("cursor", Text),  # the last object of the last page that was looked at
        Column("since", BigInteger),  # Stripe's stamp: what was before is history, and nobody is told of it
        Column("until", BigInteger),  # Stripe's stamp: where this walk may end
        Column("anchor_id", Text),  # the newest object of the last walk that was finished
        Column("anchor_at", BigInteger),
        Column("newest_id", Text),  # the same of this walk
        Column("newest_at", BigInteger),
        Column("looked_at", Integer, nullable=False, server_default=text("0")),
        Column("found", Integer, nullable=False, server_default=text("0")),
        Column("finished_at", UtcDateTime),
    )


def sightings(frame: Frame) -> Table:
    """What a walk has met so far: the rows that it did not meet may be gone at Stripe."""
    return frame.table(
        "sightings",
        Column("walk", Text, primary_key=True),
        Column("id", Text, primary_key=True),
    )


def reports(frame: Frame) -> Table:
    """What the last look at the whole mirror found, or how far the one that is under way has come."""
    return frame.table(
        "reports",
        Column("name", Text, primary_key=True),
        Column("state", Text, nullable=False),  # running | done | failed
        Column("began_at", UtcDateTime, nullable=False),
        Column("seen_at", UtcDateTime, nullable=False),  # the last sign of life
        Column("finished_at", UtcDateTime),
        Column("step", Text),
        Column("looked_at", Integer, nullable=False, server_default=text("0")),
        Column("found", Integer, nullable=False, server_default=text("0")),
        Column("body", whole_object()),
        Column("error", Text),
    )
