"""Whoever runs an app watches one that is served for real."""

from __future__ import annotations

from tests.billing.web.conftest import site

__all__ = ["site"]
