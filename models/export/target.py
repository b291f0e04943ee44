"""The target folder: it appears whole or not at all, and nothing that already exists is touched."""

import fcntl
import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from .errors import ExportError

LOCK = ".export.lock"
"""Held by the process that writes an unfinished folder; if nothing holds it, that process was killed."""


def check_room(folder: Path, needed: int, advice: str) -> None:
    """Raises `ExportError`, with `advice`, unless the disk of `folder` has `needed` bytes free."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise ExportError(f"{folder}: expected {needed / 2**30:.1f} GiB free, found {free / 2**30:.1f}. {advice}")


@contextmanager
def unfinished_folder(target: Path) -> Iterator[Path]:
    """A folder beside `target` that takes its place on success, and is removed on failure.

    It is locked from the start, and leftovers of an earlier export that was killed are removed. Raises `ExportError`
    unless `target` is empty or does not exist, and no other process is writing it.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ExportError(f"{target}: expected a folder that is empty or not there yet. Choose another or remove it.")
    whole = target.resolve()
    unfinished = whole.with_name(f"{whole.name}.unfinished")
    before = signal.signal(signal.SIGTERM, _end)
    try:
        with _locked(unfinished):
            try:
                yield unfinished
                (unfinished / LOCK).unlink()
                unfinished.replace(whole)
            except BaseException:
                shutil.rmtree(unfinished, ignore_errors=True)
                raise
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _locked(unfinished: Path) -> Iterator[None]:
    """Creates or takes over the folder, which then holds nothing but the lock."""
    try:
        unfinished.mkdir(parents=True)
    except FileExistsError:
        if not (unfinished / LOCK).is_file():
            raise _taken(unfinished) from None
    with (unfinished / LOCK).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _taken(unfinished) from None
        # Its holder may have finished, and removed it, between the two lines above.
        if os.fstat(lock.fileno()).st_nlink == 0:
            raise _taken(unfinished)
        for left in unfinished.iterdir():
            if left.is_dir() and not left.is_symlink():
                shutil.rmtree(left)
            elif left.name != LOCK:
                left.unlink()
        yield


def _taken(unfinished: Path) -> ExportError:
    return ExportError(
        f"{unfinished}: another export is writing there, or the folder is no export's. Wait, or remove the folder."
    )


def _end(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
