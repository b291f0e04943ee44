"""Silences the libraries' chatter, so that the command's own output stays readable."""

import logging
import warnings

import diffusers
import transformers


def quiet_libraries() -> None:
    """Hides progress bars and notes about axis names, but none of the loaders' warnings: a checkpoint may be wrong."""
    warnings.filterwarnings("ignore", message=".*axis name.*")
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    for library in (diffusers, transformers):
        library.utils.logging.disable_progress_bar()
