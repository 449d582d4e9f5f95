"""A process of the project whose handler is killed half-way: it says when it has written, and waits for that."""

from __future__ import annotations

import os
import sys
import threading

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.django.settings"
django.setup()

from paydesk import OrderPaid
from paydesk.django import desk
from tests.django.shelf.models import Copy


@desk.on(OrderPaid)
def deliver(paid: OrderPaid) -> None:
    """Write, and with the argument "hang" wait for the end."""
    Copy.objects.create(order_id=paid.order.id)
    sys.stdout.write("written\n")
    sys.stdout.flush()
    if sys.argv[1] == "hang":
        threading.Event().wait()


desk.work()
