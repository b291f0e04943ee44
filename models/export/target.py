"""The folder that is written to: it appears whole or not at all, and nothing that is there is touched."""

import fcntl
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from .errors import ExportError

LOCK = ".export.lock"
"""Held by whoever writes into an unfinished folder; where nobody does, what is in the folder was left by one who was
killed."""


def check_target(target: Path) -> None:
    """Raises `ExportError` unless `target` is empty or not there, and nobody is writing it."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ExportError(f"{target}: expected a folder that is empty or not there yet. Choose another or remove it.")
    unfinished = _unfinished(target)
    if unfinished.exists() and not _is_left_over(unfinished):
        raise ExportError(
            f"{unfinished}: another export is writing there, or it is no export's. Wait for it or remove the folder."
        )


def check_room(target: Path, needed: int, advice: str) -> None:
    """Raises `ExportError`, with `advice`, unless the disk of `target` has so many bytes free."""
    unfinished = _unfinished(target)
    existing = next(folder for folder in unfinished.parents if folder.exists())
    left_over = sum(file.stat().st_size for file in unfinished.rglob("*"))
    free = shutil.disk_usage(existing).free + left_over
    if free < needed:
        raise ExportError(f"{existing}: expected {needed / 2**30:.1f} GiB free, found {free / 2**30:.1f}. {advice}")


@contextmanager
def unfinished_folder(target: Path) -> Iterator[Path]:
    """A folder beside `target` that takes its place when all went well, and is removed when not.

    What an earlier one left that was killed is removed first. Raises `ExportError` as `check_target` does: between that
    and this, graphs are traced for minutes, in which another export may have begun.
    """
    check_target(target)
    unfinished = _unfinished(target)
    if unfinished.exists():
        shutil.rmtree(unfinished)
    unfinished.mkdir(parents=True)
    before = signal.signal(signal.SIGTERM, _end)
    try:
        with (unfinished / LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield unfinished
            (unfinished / LOCK).unlink()
            unfinished.replace(target.resolve())
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
        signal.signal(signal.SIGTERM, before)


def _is_left_over(unfinished: Path) -> bool:
    lock = unfinished / LOCK
    if not lock.is_file():
        return False
    with lock.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def _unfinished(target: Path) -> Path:
    whole = target.resolve()
    return whole.with_name(f"{whole.name}.unfinished")


def _end(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
