"""Leaves out what the libraries print about themselves, so that the command's own lines can be read."""

import logging
import warnings

import diffusers
import transformers


def quiet_libraries() -> None:
    """Drops progress bars and notes on axis names, but nothing that loaders warn of: a checkpoint may be wrong."""
    warnings.filterwarnings("ignore", message=".*axis name.*")
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    for library in (diffusers, transformers):
        library.utils.logging.disable_progress_bar()
