"""A normalizing flow of affine couplings: scores of any distribution to standard-normal ones.

Real NVP (Dinh et al. 2017, sections 3.2 to 3.5): each layer scales and shifts one part of the
scores by functions of the other part and of a context. So the whole is invertible, the determinant
of its Jacobian is a product of the scales, and it can be fitted by maximum likelihood.
"""

import copy
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from inkgan import rng

LAYERS = 8
HIDDEN = 128
LARGEST_LOG_SCALE = 2.0  # of one layer: what few scores would support must not be stretched freely
BATCH = 512
STEPS = 300, 1500  # fewest, most
EPOCHS = 16  # between these bounds
LEARNING_RATE = 6e-3
WEIGHT_DECAY = 1e-4
LARGEST_GRADIENT = 5.0
HELD_OUT = 10  # each so many-th of the scores chooses the weights
CHECKS = 20  # times that these are looked at


class Context(NamedTuple):
    """What a flow knows of each score.

    Attributes:
        known: float32 (n, c); c may be 0.
        labels: int64 (n,), from 0.
    """

    known: torch.Tensor
    labels: torch.Tensor

    def at(self, places: torch.Tensor) -> "Context":
        """Return the context of some of the scores."""
        return Context(self.known[places], self.labels[places])


class AffineCoupling(nn.Module):
    """Scales and shifts some columns by functions of the others and of the context.

    Args:
        kept: bool (k,), the columns that stay as they are.
        known: number of the context's columns.
        classes: number of its labels.
    """

    def __init__(self, kept: torch.Tensor, known: int, classes: int) -> None:
        super().__init__()
        self.kept, self.moved = torch.nonzero(kept)[:, 0], torch.nonzero(~kept)[:, 0]
        last = nn.Linear(HIDDEN, 2 * len(self.moved))
        for parameter in last.parameters():
            nn.init.zeros_(parameter)  # the layer begins as the identity
        inputs = len(self.kept) + known
        self.weight = nn.Parameter(torch.randn(HIDDEN, inputs) / (3 * max(inputs, 1)) ** 0.5)
        self.offsets = nn.Parameter(torch.zeros(classes, HIDDEN))
        self.rest = nn.Sequential(nn.SiLU(), nn.Linear(HIDDEN, HIDDEN), nn.SiLU(), last)

    def forward(self, scores: torch.Tensor, context: Context) -> tuple[torch.Tensor, torch.Tensor]:
        """Return scores (n, k), and the logarithm of the determinant for each of them (n,)."""
        kept, moved = scores[:, self.kept], scores[:, self.moved]
        inputs = torch.cat([kept, context.known], dim=1)
        hidden = F.linear(inputs, self.weight) + F.embedding(context.labels, self.offsets)
        shifts, raw = self.rest(hidden).chunk(2, dim=1)
        logs = LARGEST_LOG_SCALE * torch.tanh(raw / LARGEST_LOG_SCALE)
        moved = (moved + shifts) * logs.exp()
        order = torch.argsort(torch.cat([self.kept, self.moved]))
        return torch.cat([kept, moved], dim=1)[:, order], logs.sum(dim=1)


class CouplingFlow(nn.Module):
    """Affine couplings, each of which keeps another half of the columns.

    Args:
        columns: k, of the scores.
        known: number of the context's columns.
        classes: number of its labels.
    """

    def __init__(self, columns: int, known: int, classes: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList()
        for _ in range(LAYERS):
            kept = torch.randperm(columns) < columns // 2
            self.layers.append(AffineCoupling(kept, known, classes))

    def forward(self, scores: torch.Tensor, context: Context) -> tuple[torch.Tensor, torch.Tensor]:
        """Return scores (n, k), and the logarithm of the determinant for each of them (n,)."""
        total = scores.new_zeros(len(scores))
        for layer in self.layers:
            scores, logs = layer(scores, context)
            total = total + logs
        return scores, total

    def loss(self, scores: torch.Tensor, context: Context) -> torch.Tensor:
        """Return the mean negative log-likelihood, without the normal distribution's constant."""
        normal, logs = self(scores, context)
        loss: torch.Tensor = (0.5 * normal.square().sum(dim=1) - logs).mean()
        return loss


def fit_flow(scores: torch.Tensor, context: Context) -> CouplingFlow:
    """Fit a flow after which the scores are standard normal, whatever the context.

    Adam on nine tenths of the scores. The weights are those that make the last tenth likeliest, so
    few scores are not followed one by one. The same scores give the same flow on the same
    machine. Another one may round otherwise: a millionth of noise on the scores of MNIST moves the
    result by less than 0.001, and on a few hundred scores by up to 1.

    Args:
        scores: float32 (n, k) on the CPU, each column about standard normal.
        context: what the result shall tell nothing of.

    Returns:
        The flow, without gradients.
    """
    with rng.scoped(0, "init", "flow"):
        known, classes = context.known.shape[1], int(context.labels.max()) + 1
        flow = CouplingFlow(scores.shape[1], known, classes)
    held_out = torch.arange(len(scores)) % HELD_OUT == HELD_OUT - 1
    fitted, checked = torch.nonzero(~held_out)[:, 0], torch.nonzero(held_out)[:, 0]
    if not len(checked):
        return flow.requires_grad_(False)
    numbers = rng.generator(0, "flow")
    steps = min(max(EPOCHS * len(scores) // BATCH, STEPS[0]), STEPS[1])
    optimizer = torch.optim.AdamW(flow.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    best, least = copy.deepcopy(flow.state_dict()), float("inf")
    for step in range(1, steps + 1):
        places = torch.randint(len(fitted), (min(BATCH, len(fitted)),), generator=numbers)
        chosen = fitted[places]
        with torch.enable_grad():
            loss = flow.loss(scores[chosen], context.at(chosen))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(flow.parameters(), LARGEST_GRADIENT)
        optimizer.step()
        schedule.step()
        if step % (steps // CHECKS) == 0 or step == steps:
            with torch.no_grad():
                found = float(flow.loss(scores[checked], context.at(checked)))
            if found < least:
                best, least = copy.deepcopy(flow.state_dict()), found
    flow.load_state_dict(best)
    return flow.requires_grad_(False)
