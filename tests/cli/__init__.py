"""Commands, tried as a person would: by name, in some folder."""

from __future__ import annotations

import os
from pathlib import Path

# Found from any folder.
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent.parent / "src")}
