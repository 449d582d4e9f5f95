"""What stories of the local Stripe may ask for: somebody to deliver to, and the controls of their sandbox."""

from __future__ import annotations

from tests.emulator.conftest import controls, receiver

__all__ = ["controls", "receiver"]
