"""Faults: what can go wrong on purpose, a file each. To add one, write its file and name it here."""

from __future__ import annotations

from paydesk.emulator.faults.corrupt import Corrupt
from paydesk.emulator.faults.delay import Delay
from paydesk.emulator.faults.drop import Drop
from paydesk.emulator.faults.duplicate import Duplicate
from paydesk.emulator.faults.error import Error
from paydesk.emulator.faults.fault import ApiFault, DeliveryFault
from paydesk.emulator.faults.lock_timeout import LockTimeout
from paydesk.emulator.faults.reorder import Reorder
from paydesk.emulator.faults.slow import Slow
from paydesk.emulator.faults.timeout_after import TimeoutAfter
from paydesk.emulator.faults.timeout_before import TimeoutBefore

FAULTS: tuple[type[ApiFault | DeliveryFault], ...] = (
    # At API requests
    Error,
    LockTimeout,
    Slow,
    TimeoutBefore,
    TimeoutAfter,
    # At deliveries
    Drop,
    Duplicate,
    Reorder,
    Delay,
    Corrupt,
)
