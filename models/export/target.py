"""The folder that a bundle is written to: it appears whole or not at all, and nothing that is there is touched."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import ExportError


def check_target(target: Path, needed: int, advice: str) -> None:
    """Raises `ExportError` unless a folder of so many bytes can be written to `target`; `advice`: where there is no room."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ExportError(f"{target}: expected a folder that is empty or not there yet. Choose another or remove it.")
    unfinished = _unfinished(target)
    if unfinished.exists():
        raise ExportError(
            f"{unfinished}: another export is writing there, or one was ended before it had finished. "
            "Wait for it or remove the folder."
        )
    existing = next(folder for folder in unfinished.parents if folder.exists())
    free = shutil.disk_usage(existing).free
    if free < needed:
        raise ExportError(
            f"{existing}: expected {needed / 2**30:.1f} GiB free, found {free / 2**30:.1f}. {advice}"
        )


@contextmanager
def unfinished_folder(target: Path) -> Iterator[Path]:
    """A folder beside `target` that takes its place when all went well, and is removed when not."""
    unfinished = _unfinished(target)
    unfinished.mkdir(parents=True)
    try:
        yield unfinished
        unfinished.replace(target.resolve())
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _unfinished(target: Path) -> Path:
    whole = target.resolve()
    return whole.with_name(f"{whole.name}.unfinished")
