"""From a checkpoint to a bundle."""

import os

# Read when the libraries are imported, by modules of this package; who wants to take part sets 0.
for _name in ("ORT_DISABLE_TELEMETRY", "HF_HUB_DISABLE_TELEMETRY"):
    os.environ[_name] = os.environ.get(_name) or "1"
