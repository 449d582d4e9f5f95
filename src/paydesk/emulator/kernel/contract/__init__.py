"""The contract: what Stripe accepts and expands, read from the installed Stripe SDK.

The SDK's services say which paths exist, its parameter types what may be sent there, its resource classes which ids
can be expanded. They are read as text, never imported (that costs 200 ms and 30 MB), one operation at a time, and kept.
Nothing is copied: a new SDK brings its new contract.
"""

from paydesk.emulator.kernel.contract.answers import expandable
from paydesk.emulator.kernel.contract.check import check
from paydesk.emulator.kernel.contract.leaves import leaves
from paydesk.emulator.kernel.contract.operations import Operation, operation
from paydesk.emulator.kernel.contract.paths import Match, Path, known_paths, match

__all__ = [
    "Match",
    "Operation",
    "Path",
    "check",
    "expandable",
    "known_paths",
    "leaves",
    "match",
    "operation",
]
