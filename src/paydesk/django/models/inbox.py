"""What Stripe told us, what it came to, and what the app still has to do about it."""

from __future__ import annotations

from django.db import models

from paydesk.django.models.fields import MomentField
from paydesk.django.models.mirrored import PERMISSIONS, ReadOnly, table


class Event(ReadOnly):
    """The inbox: every event Stripe delivered, in order of arrival, kept before it is believed."""

    seq = models.BigAutoField(primary_key=True)
    id = models.TextField(unique=True)
    type = models.TextField()
    lane = models.TextField()
    object_id = models.TextField(null=True)
    object_type = models.TextField(null=True)
    livemode = models.BooleanField()
    api_version = models.TextField(null=True)
    created = models.BigIntegerField()
    payload = models.TextField()
    state = models.TextField()
    attempts = models.IntegerField()
    next_at = MomentField()
    last_error = models.TextField(null=True)
    received_at = MomentField()
    applied_at = MomentField(null=True)

    class Meta(ReadOnly.Meta):
        db_table = table("events")
        default_permissions = PERMISSIONS
        ordering = ("-seq",)

    def __str__(self) -> str:
        return f"{self.type} {self.id}"


class Fact(ReadOnly):
    """What happened, named once: `key` is the fact's own name, such as `order.paid:ord_…`."""

    seq = models.BigAutoField(primary_key=True)
    key = models.TextField(unique=True)
    type = models.TextField()
    lane = models.TextField(null=True)
    body = models.JSONField()
    event_id = models.TextField(null=True)
    created_at = MomentField()
    relayed_at = MomentField(null=True)

    class Meta(ReadOnly.Meta):
        db_table = table("facts")
        default_permissions = PERMISSIONS
        ordering = ("-seq",)

    def __str__(self) -> str:
        return self.key


class Effect(ReadOnly):
    """One row per (fact or event, handler): what the app still has to do, has done, or failed to do."""

    id = models.BigAutoField(primary_key=True)
    source = models.TextField()
    handler = models.TextField()
    state = models.TextField()
    attempts = models.IntegerField()
    next_at = MomentField()
    last_error = models.TextField(null=True)
    created_at = MomentField()
    done_at = MomentField(null=True)

    class Meta(ReadOnly.Meta):
        db_table = table("effects")
        default_permissions = PERMISSIONS
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"{self.handler} of {self.source}"
