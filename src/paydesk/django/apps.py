"""paydesk as a Django app."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class PaydeskConfig(AppConfig):
    """Found by INSTALLED_APPS = ["paydesk.django"]."""

    name = "paydesk.django"
    label = "paydesk"
    verbose_name = "Paydesk"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Find the project's handlers, in the billing.py of each of its apps."""
        autodiscover_modules("billing")
