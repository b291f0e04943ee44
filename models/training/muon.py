"""Muon (Keller Jordan, 2024): momentum whose update is made orthogonal; for matrices and convolution kernels."""

import torch


def orthogonalise(update: torch.Tensor, steps: int = 5) -> torch.Tensor:
    """Return the nearest orthogonal matrices of [batch, rows, columns] by a quintic Newton-Schulz iteration.

    The iteration runs on the Gram matrix of the shorter side, in float32, and touches the long side only twice: X ← (aI
    + bG + cG²) X multiplies by polynomials of one matrix G = XXᵀ, and these commute.
    """
    a, b, c = 3.4445, -4.7750, 2.0315
    tall = update.shape[-2] > update.shape[-1]
    x = update.mT if tall else update
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    gram = x @ x.mT
    identity = torch.eye(gram.shape[-1], device=gram.device)
    product = a * identity + b * gram + c * gram @ gram
    factor = product
    for _ in range(steps - 1):
        gram = factor @ gram @ factor
        factor = a * identity + b * gram + c * gram @ gram
        product = factor @ product
    x = product @ x
    return x.mT if tall else x


class Muon(torch.optim.Optimizer):
    """Muon with updates scaled to AdamW's size, so that both share one learning rate (Liu et al. 2025, section 2.2)."""

    def __init__(self, parameters: list[torch.Tensor], lr: float, momentum: float = 0.95, weight_decay: float = 0.0):
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self) -> None:
        """Update all parameters; those of one shape are orthogonalised together."""
        for group in self.param_groups:
            shapes: dict[tuple, list[torch.Tensor]] = {}
            for p in group["params"]:
                if p.grad is not None:
                    shapes.setdefault((p.shape[0], p[0].numel()), []).append(p)
            for (rows, columns), parameters in shapes.items():
                pushed = self._with_momentum(parameters, group["momentum"])
                updates = orthogonalise(torch.stack([u.reshape(rows, columns) for u in pushed]))
                scale = 0.2 * max(rows, columns) ** 0.5
                shaped = [u.view_as(p) for u, p in zip(updates, parameters, strict=True)]
                torch._foreach_mul_(parameters, 1 - group["lr"] * group["weight_decay"])
                torch._foreach_add_(parameters, shaped, alpha=-group["lr"] * scale)

    def _with_momentum(self, parameters: list[torch.Tensor], momentum: float) -> list[torch.Tensor]:
        """Return Nesterov's updates: the gradient pushed towards its running average."""
        for p in parameters:
            if "momentum" not in self.state[p]:
                self.state[p]["momentum"] = torch.zeros_like(p, memory_format=torch.contiguous_format)
        gradients = [p.grad.contiguous() for p in parameters]
        buffers = [self.state[p]["momentum"] for p in parameters]
        torch._foreach_lerp_(buffers, gradients, 1 - momentum)
        return torch._foreach_lerp(gradients, buffers, momentum)
