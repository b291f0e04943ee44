"""Paths for everything in training that does not belong in the repository: icons, data, checkpoints, logs."""

import os
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "pixart-batch" / "training"
