"""The errors that a person can act on."""

import errno


class ExportError(Exception):
    """A checkpoint, option or graph is wrong; the message says what was expected, found and where."""


def in_a_line(error: OSError) -> str:
    """Says what the system refused, where, and what to do."""
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}. {_advice(error)}"


def _advice(error: OSError) -> str:
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT | errno.EFBIG:
            return "Free some space or choose another folder, then start again; nothing was left behind."
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return "Give this user permission to read what is there and to write to the folder, or choose another."
        case _:
            return "Check the file and its disk, then start again."
