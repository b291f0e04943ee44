"""The errors that a person can act on."""

import errno


class ExportError(Exception):
    """A checkpoint, option or graph is not as it must be; the message says what was expected, found and where."""


def in_a_line(error: OSError) -> str:
    """What the system refused, where, and what to do."""
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}. {_advice(error)}"


def _advice(error: OSError) -> str:
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT | errno.EFBIG:
            return "Make room or choose another folder, then start again; nothing was left behind."
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return "Give this user the right to read what is there and to write the folder, or choose another."
        case _:
            return "Look at the file and the disk that it is on, then start again."
