"""Silences what the libraries print about themselves, so that the command's own lines can be read."""

import logging
import warnings

import diffusers
import transformers


def quiet_libraries() -> None:
    """Keeps the errors of torch, diffusers and transformers; drops notes, progress bars and warnings on axis names."""
    warnings.filterwarnings("ignore", message=".*axis name.*")
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    for library in (diffusers, transformers):
        library.utils.logging.set_verbosity_error()
        library.utils.logging.disable_progress_bar()
