"""paydesk as a Django app."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.core.signals import request_started, setting_changed
from django.utils.module_loading import autodiscover_modules

from paydesk.django.lazy import lazy


class PaydeskConfig(AppConfig):
    """Found by INSTALLED_APPS = ["paydesk.django"]."""

    name = "paydesk.django"
    label = "paydesk"
    verbose_name = "Paydesk"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Find the project's handlers, in the billing.py of each of its apps; work for them where requests come."""
        from paydesk.django import checks
        from paydesk.django.serving import serving

        checks.register()
        autodiscover_modules("billing")
        request_started.connect(serving.on_signal, dispatch_uid="paydesk.serving")
        setting_changed.connect(_forget, dispatch_uid="paydesk.settings")


def _forget(*, setting: str, **_: Any) -> None:
    """Tests override settings: the next use of the desk goes by them."""
    if setting in {"PAYDESK", "DATABASES", "ROOT_URLCONF"}:
        lazy.close()
