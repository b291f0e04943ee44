"""How the shipped models were made."""

import os

# Read when the library is imported, by modules of this package; who wants to take part sets 0.
os.environ["HF_HUB_DISABLE_TELEMETRY"] = os.environ.get("HF_HUB_DISABLE_TELEMETRY") or "1"
