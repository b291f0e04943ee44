"""How the shipped models were made."""

import os

# The library reads this when modules of this package import it; set 0 to take part.
os.environ["HF_HUB_DISABLE_TELEMETRY"] = os.environ.get("HF_HUB_DISABLE_TELEMETRY") or "1"
