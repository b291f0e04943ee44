"""Reports progress."""

import time
from collections.abc import Callable

Report = Callable[[str], None]

EVERY_SECONDS = 5.0


def say(line: str) -> None:
    """Prints a line at once, even to a file or pipe, where Python would buffer it until the end."""
    print(line, flush=True)


class Progress:
    """Reports how many GB of the total are done, at most once every few seconds; quick work reports nothing."""

    def __init__(self, what: str, total: int, report: Report):
        self.what, self.total, self.report = what, total, report
        self._said = time.monotonic()

    def reached(self, done: int) -> None:
        now = time.monotonic()
        if now - self._said < EVERY_SECONDS:
            return
        self._said = now
        self.report(f"{self.what} {done / 1e9:.1f} of {self.total / 1e9:.1f} GB")
