"""What somebody has bought."""

from __future__ import annotations

from django.db import models


class Copy(models.Model):
    """One thing, for one order."""

    order_id = models.TextField()
    note = models.TextField(default="")

    class Meta:
        app_label = "shelf"

    def __str__(self) -> str:
        return self.order_id


class Team(models.Model):
    """Those who pay together."""

    code = models.TextField(primary_key=True)
    email = models.EmailField()

    class Meta:
        app_label = "shelf"

    def __str__(self) -> str:
        return self.code
