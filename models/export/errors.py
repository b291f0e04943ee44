"""The error that a person can act on."""


class ExportError(Exception):
    """A checkpoint, option or graph is not as it must be; the message says what was expected, found and where."""
