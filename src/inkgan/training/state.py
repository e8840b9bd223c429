"""The whole of a training run's changing state, as an explicit list of named parts."""

import copy
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from inkgan.config import Optim, Recipe
from inkgan.eager_adam import EagerAdam
from inkgan.errors import ArtifactError
from inkgan.images import Shape
from inkgan.models.build import build_discriminator, build_generator
from inkgan.models.conditioning import Discriminator
from inkgan.models.custom import CustomNetworks
from inkgan.models.torch_internals import lerp_all_
from inkgan.training.distributed import ALONE, World
from inkgan.training.divided_batch import BATCH_NORMS, see_whole_batches
from inkgan.training.state_check import (
    ExpectedTensors,
    bounded_tensors,
    check_tensors,
    expected_moments,
)

Tensors = dict[str, torch.Tensor]
# Of every step, and of every SAMPLED_EVERY-th: these read all gradients and all pixels.
STEP_METRICS = ("d_loss", "g_loss", "d_real_accuracy", "d_fake_accuracy")
SAMPLED_METRICS = ("d_grad_norm", "g_grad_norm", "real_pixel_std", "fake_pixel_std")
METRICS = STEP_METRICS + SAMPLED_METRICS
SAMPLED_EVERY = 5  # steps


class MetricAverager:
    """Means of the metrics over a window of steps, summed on the device.

    Attributes:
        sums: of the window's steps, in the order of METRICS.
        count: steps of the window so far.
    """

    def __init__(self, device: torch.device) -> None:
        self.sums = torch.zeros(len(METRICS), dtype=torch.float32, device=device)
        self.count = 0

    @property
    def samples_next(self) -> bool:
        """Whether the next step of the window is one that has the SAMPLED_METRICS."""
        return self.count % SAMPLED_EVERY == 0

    def update(self, values: torch.Tensor) -> None:
        """Add one step's metrics, a tensor in the order of METRICS; it may lack the last ones."""
        self.sums[: len(values)] += values
        self.count += 1

    def compute(self) -> dict[str, float]:
        """Return the means and reset the sums; this waits for the device."""
        sampled = -(-self.count // SAMPLED_EVERY)
        counts = [self.count] * len(STEP_METRICS) + [sampled] * len(SAMPLED_METRICS)
        sums = self.sums.tolist()
        self.sums.zero_()
        self.count = 0
        return {m: s / max(n, 1) for m, s, n in zip(METRICS, sums, counts, strict=True)}


COUNTERS = ("step", "lr_scale", "rollbacks", "seconds", "streaks", "best_score")


@dataclass
class TrainState:
    """Networks, optimizers and counters; everything that a resumed run needs is listed here.

    Attributes:
        step: updates done.
        learning_rates: of the generator and the discriminator, as the recipe has them.
        lr_scale: factor on the learning rates, halved by each rollback.
        rollbacks: how often the health monitor went back to a better checkpoint.
        seconds: time spent training, over all interruptions.
        streaks: for each symptom, the windows in a row that showed it.
        best_score: the lowest score that a sampled generator has reached, if any.
        restorations: how often a checkpoint has been taken over in this process.
        averager: metrics of the current window.
        unused_parameters: whether some parameters may never get a gradient, and so no moments of
            Adam, as in a network of one's own.
        world: the processes that train together.
    """

    generator: nn.Module
    discriminator: Discriminator
    ema: nn.Module
    g_optimizer: EagerAdam
    d_optimizer: EagerAdam
    averager: MetricAverager
    learning_rates: tuple[float, float]
    step: int = 0
    lr_scale: float = 1.0
    rollbacks: int = 0
    seconds: float = 0.0
    streaks: dict[str, int] = field(default_factory=dict)
    best_score: float | None = None
    restorations: int = 0
    unused_parameters: bool = False
    world: World = ALONE

    @functools.cached_property
    def normalizes_batches(self) -> bool:
        """Whether the discriminator has batch normalization.

        Real and generated images are then normalized apart (Radford et al. 2016, as all who
        followed); read in one batch, they would meet another network.
        """
        return any(isinstance(module, BATCH_NORMS) for module in self.discriminator.modules())

    def tensors(self) -> Tensors:
        """List every tensor of the state under its name."""
        named: Tensors = {"metrics.sums": self.averager.sums}
        for part, network in self._networks().items():
            named |= {f"{part}.{name}": t for name, t in network.state_dict().items()}
        return named | self._moments()

    def counters(self) -> dict[str, Any]:
        """List every plain number of the state under its name."""
        return {name: getattr(self, name) for name in COUNTERS} | {"metrics": self.averager.count}

    def restore(self, tensors: Mapping[str, torch.Tensor], counters: Mapping[str, Any]) -> None:
        """Take over a saved state: all of it, or nothing where it does not fit.

        Raises:
            ArtifactError: a tensor is missing, too many, of another shape or type, or not finite.
        """
        try:
            check_tensors(tensors, self._expected(int(counters["step"])))
            if counters["metrics"] == 0 and tensors["metrics.sums"].any():  # NaN is not zero either
                raise ArtifactError("its tensor metrics.sums is not zero in a window without steps")
            for part, network in self._networks().items():
                network.load_state_dict(_under(tensors, part))
            for part, optimizer in self._optimizers().items():
                _restore_optimizer(optimizer, _under(tensors, part))
            self.averager.sums.copy_(tensors["metrics.sums"])
            self.averager.count = int(counters["metrics"])
            for name in COUNTERS:
                setattr(self, name, copy.deepcopy(counters[name]))
        except (ArtifactError, KeyError, RuntimeError, ValueError) as error:
            raise ArtifactError(f"the checkpoint does not fit this recipe: {error}") from error
        self.set_learning_rates(self.scaled_rates(1.0))
        self.restorations += 1

    def scaled_rates(self, factor: float) -> tuple[float, float]:
        """Return both learning rates of the recipe, times `factor` and what rollbacks have left."""
        first, second = (rate * self.lr_scale * factor for rate in self.learning_rates)
        return first, second

    def set_learning_rates(self, rates: Sequence[float | torch.Tensor]) -> None:
        """Set the learning rates of the generator and of the discriminator."""
        for rate, optimizer in zip(rates, self._optimizers().values(), strict=True):
            for group in optimizer.param_groups:
                if isinstance(group["lr"], torch.Tensor):  # its place is part of a recording
                    group["lr"].fill_(rate)
                else:
                    group["lr"] = rate

    def is_finite(self) -> bool:
        """Tell whether no weight, statistic or moment is NaN or infinite."""
        finite = [tensor.isfinite().all() for tensor in self._bounded().values()]
        return bool(torch.stack([each.to(self.averager.sums.device) for each in finite]).all())

    def _bounded(self) -> Tensors:
        parts = [bounded_tensors(*part) for part in self._networks().items()]
        return {name: tensor for part in parts for name, tensor in part.items()} | self._moments()

    def _moments(self) -> Tensors:
        named: Tensors = {}
        for part, optimizer in self._optimizers().items():
            for index, moments in optimizer.state_dict()["state"].items():
                named |= {f"{part}.{index}.{name}": t for name, t in moments.items()}
        return named

    def _expected(self, step: int) -> ExpectedTensors:
        """Describe the tensors of a state of these networks after a number of steps."""
        fixed = {"metrics.sums": self.averager.sums}
        for part, network in self._networks().items():
            fixed |= {f"{part}.{name}": tensor for name, tensor in network.state_dict().items()}
        moments: Tensors = {}
        if step > 0:
            for part, optimizer in self._optimizers().items():
                moments |= expected_moments(part, optimizer)
        return ExpectedTensors(fixed, moments, self._bounded().keys(), self.unused_parameters)

    def _networks(self) -> dict[str, nn.Module]:
        return {"generator": self.generator, "discriminator": self.discriminator, "ema": self.ema}

    def _optimizers(self) -> dict[str, EagerAdam]:
        return {"g_optimizer": self.g_optimizer, "d_optimizer": self.d_optimizer}


def new_state(
    recipe: Recipe,
    shape: Shape,
    device: torch.device,
    networks: CustomNetworks = CustomNetworks(),  # noqa: B008 - immutable
    world: World = ALONE,
) -> TrainState:
    """Build the state before the first step; the same recipe gives the same weights.

    Args:
        recipe: says which networks, optimizers and seed.
        shape: of the images.
        device: of all tensors.
        networks: the classes of networks of one's own.
        world: the processes that divide each batch.
    """
    model, seed = recipe.model, recipe.seed
    generator = build_generator(model, shape, seed, networks.generator).to(device)
    discriminator = build_discriminator(model, shape, seed, networks.discriminator).to(device)
    rates = recipe.optim.lr, recipe.optim.d_lr or recipe.optim.lr
    average = copy.deepcopy(generator).eval().requires_grad_(False)
    for network in (generator, discriminator):
        see_whole_batches(network, world)
    return TrainState(
        generator=generator,
        discriminator=discriminator,
        ema=average,
        g_optimizer=_adam(generator, rates[0], recipe.optim, device),
        d_optimizer=_adam(discriminator, rates[1], recipe.optim, device),
        averager=MetricAverager(device),
        learning_rates=rates,
        unused_parameters=networks != CustomNetworks(),
        world=world,
    )


def _adam(network: nn.Module, rate: float, optim: Optim, device: torch.device) -> EagerAdam:
    on_cuda = device.type == "cuda"
    return EagerAdam(
        network.parameters(),
        lr=torch.tensor(rate, device=device) if on_cuda else rate,
        betas=(optim.beta1, optim.beta2),
        eps=optim.epsilon,
        fused=on_cuda or device.type == "cpu",
        capturable=on_cuda,
    )


def _under(tensors: Mapping[str, torch.Tensor], part: str) -> Tensors:
    prefix = f"{part}."
    return {k.removeprefix(prefix): t for k, t in tensors.items() if k.startswith(prefix)}


def _restore_optimizer(optimizer: EagerAdam, tensors: Tensors) -> None:
    moments: dict[int, Tensors] = {}
    for key, tensor in tensors.items():
        index, _, name = key.partition(".")
        moments.setdefault(int(index), {})[name] = tensor
    # the fused update walks through memory: moments have to lie as their parameters do
    for place, parameter in enumerate(optimizer.param_groups[0]["params"]):
        saved = moments.get(place, {})
        for key in saved.keys() & {"exp_avg", "exp_avg_sq"}:
            saved[key] = torch.empty_like(parameter).copy_(saved[key])
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": moments, "param_groups": groups})


class EmaUpdate:
    """Moves an average towards a network: weights and BatchNorm's statistics alike.

    The tensors of both are listed once; they have to stay in their places.

    Args:
        average: of the network; changed in place.
        network: that is trained.
    """

    def __init__(self, average: nn.Module, network: nn.Module) -> None:
        current = network.state_dict()
        pairs = [(tensor, current[name]) for name, tensor in average.state_dict().items()]
        self._averaged = [pair for pair in pairs if pair[0].is_floating_point()]
        self._copied = [pair for pair in pairs if not pair[0].is_floating_point()]

    @torch.no_grad()
    def __call__(self, weight: float | torch.Tensor) -> None:
        """Move the average a share `weight` of the way to the network; counters are copied."""
        averages, values = zip(*self._averaged, strict=True)
        lerp_all_(averages, values, weight)
        for average, value in self._copied:
            average.copy_(value)
