"""From a checkpoint to a bundle."""

import os

# The libraries read these when modules of this package import them; set 0 to take part.
for _name in ("ORT_DISABLE_TELEMETRY", "HF_HUB_DISABLE_TELEMETRY"):
    os.environ[_name] = os.environ.get(_name) or "1"
