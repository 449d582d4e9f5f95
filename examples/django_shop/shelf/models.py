"""What readers have."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models


class Copy(models.Model):
    """One thing on somebody's shelf, for one order."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="copies")
    sku = models.TextField()
    order_id = models.TextField()
    state = models.TextField(default="yours")

    objects: ClassVar[models.Manager[Copy]] = models.Manager()

    def __str__(self) -> str:
        return f"{self.sku} of {self.owner}"
