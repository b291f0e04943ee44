"""Checks that numbers are finite: bytes turn NaN into black or white, and argmax takes it for the largest."""

import torch


def finite(numbers: torch.Tensor, what: str) -> torch.Tensor:
    """Return the same numbers. Raises `FloatingPointError` if one is not finite."""
    if not numbers.isfinite().all():
        raise FloatingPointError(f"{what}: expected finite numbers, found NaN or infinity")
    return numbers
