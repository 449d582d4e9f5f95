"""Time, as one sandbox sees it: the machine's clock, plus whatever it was pushed forward by."""

from __future__ import annotations

import time
from collections.abc import Callable

# Seconds since 1970, as Stripe counts them. Handed in, so that a test or a simulation owns it.
Now = Callable[[], float]

real: Now = time.time
