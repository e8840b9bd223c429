"""Batches addressed by (seed, epoch, step): any of them can be made at any time."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import torch

from inkgan import rng
from inkgan.config import Augment, Recipe
from inkgan.data.augment import augment
from inkgan.data.dataset import Dataset
from inkgan.data.known_coordinates import known_coordinates
from inkgan.errors import ConfigError
from inkgan.images import to_float

NO_DISTORTION = Augment()


class Batch(NamedTuple):
    """Some training images.

    Attributes:
        images: float32 (n, C, H, W) in [-1, 1].
        labels: int64 (n,).
        coordinates: float32 (n, k), what the first latent coordinates of each image would be.
    """

    images: torch.Tensor
    labels: torch.Tensor
    coordinates: torch.Tensor


class Batches:
    """Full batches, shuffled again in each epoch, without replacement.

    Images that do not fill a batch are left out of that epoch.

    Args:
        dataset: the training images.
        batch_size: images of one batch, at most all of them.
        seed: of the shuffles and of the distortion.
        distortion: how to distort the images of each batch.
        coordinates: of all images (n, k), standard normal; none by default.
        part: the part of each batch that this process gets.
        restack: shuffle each channel by itself; labels and coordinates are those of the first.

    Raises:
        ConfigError: a batch of more images than there are, or one channel to restack.
    """

    def __init__(
        self,
        dataset: Dataset,
        batch_size: int,
        seed: int,
        distortion: Augment,
        coordinates: torch.Tensor | None = None,
        part: rng.BatchPart = rng.WHOLE,
        restack: bool = False,
    ) -> None:
        if batch_size > len(dataset):
            raise ConfigError(
                f"`schedule.batch_size={batch_size}` is more than the {len(dataset):,} images of "
                f"{dataset.name}; use `schedule.batch_size={max(2, len(dataset) // 8)}`"
            )
        if restack and dataset.shape.channels == 1:
            raise ConfigError(
                f"`data.restack=true` gives each channel to another image, and {dataset.name} has "
                f"{dataset.shape} images; use `data.restack=false`"
            )
        self.dataset, self.batch_size, self.seed = dataset, batch_size, seed
        self.distortion, self.part = distortion, part
        self.per_epoch = len(dataset) // batch_size
        none = torch.zeros(len(dataset), 0, device=dataset.images.device)
        self._coordinates = none if coordinates is None else coordinates
        self._channels = dataset.shape.channels if restack else 1
        self._shuffled: tuple[int, torch.Tensor] | None = None

    def at(self, step: int) -> Batch:
        """Return the batch of a step, counted from 0 over all epochs."""
        chosen = self._rows(step)
        return self._batch(chosen[0], self._images(chosen, step))

    def block(self, first: int, count: int) -> Batch:
        """Return the batches of `count` steps from `first` on, each part with an axis more."""
        steps = range(first, first + count)
        chosen = torch.stack([self._rows(step) for step in steps], dim=1)
        if self.distortion == NO_DISTORTION:
            return self._batch(chosen[0], to_float(self._pixels(chosen)))
        images = [self._images(chosen[:, place], step) for place, step in enumerate(steps)]
        return self._batch(chosen[0], torch.stack(images))

    def _rows(self, step: int) -> torch.Tensor:
        """Return where the images of this process's part of a batch lie in the data set.

        Int64 (1, n), or (channels, n) where each channel has its own.
        """
        epoch, place = divmod(step, self.per_epoch)
        whole = self._order(epoch)[:, place * self.batch_size : (place + 1) * self.batch_size]
        return torch.stack([self.part.of(rows) for rows in whole])

    def _pixels(self, chosen: torch.Tensor) -> torch.Tensor:
        """Return the images (..., C, H, W) at `chosen`, which has rows for all or each channel."""
        images = self.dataset.images
        if len(chosen) == 1:
            return _take(images, chosen[0])
        # whole images first: of a strided view torch would copy all images of the set
        channels = [_take(images, rows)[..., c, :, :] for c, rows in enumerate(chosen)]
        return torch.stack(channels, dim=-3)

    def _images(self, chosen: torch.Tensor, step: int) -> torch.Tensor:
        images = to_float(self._pixels(chosen))
        if self.distortion != NO_DISTORTION:
            with rng.batch_part(self.part):
                numbers = rng.generator(self.seed, "augment", step)
                images = augment(images, self.distortion, numbers)
        return images

    def _batch(self, chosen: torch.Tensor, images: torch.Tensor) -> Batch:
        return Batch(images, self.dataset.labels[chosen], self._coordinates[chosen])

    def _order(self, epoch: int) -> torch.Tensor:
        """Return the order of the data set's images in an epoch, (1, n) or (channels, n)."""
        if self._shuffled is None or self._shuffled[0] != epoch:
            addresses = [(epoch,), *((epoch, channel) for channel in range(1, self._channels))]
            generators = [rng.generator(self.seed, "shuffle", *address) for address in addresses]
            orders = [torch.randperm(len(self.dataset), generator=g) for g in generators]
            self._shuffled = (epoch, torch.stack(orders).to(self.dataset.images.device))
        return self._shuffled[1]


def _take(images: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    return images.index_select(0, rows.flatten()).view(*rows.shape, *images.shape[1:])


def batches_for(
    recipe: Recipe,
    dataset: Dataset,
    part: rng.BatchPart = rng.WHOLE,
) -> Batches:
    """Make the batches of a recipe from a data set.

    Args:
        recipe: gives the sizes, the seed and the distortion.
        dataset: the training images.
        part: the part of each batch that this process gets.

    Raises:
        ConfigError: the set is too small, or does not have the classes that the networks expect,
            or a batch cannot be divided into equal parts.
    """
    check_parts(recipe, part.size)
    classes, found = recipe.model.classes, len(dataset.classes)
    if classes not in (0, found):
        raise ConfigError(
            f"`model.classes={classes}`, but {dataset.name} has {_few_names(dataset.classes)}; if "
            f"these are right, use `model.classes={found if found > 1 else 0}`"
        )
    return Batches(
        dataset,
        recipe.schedule.images_per_step,
        recipe.seed,
        recipe.data.augment,
        known_coordinates(dataset, recipe.model),
        replace(part, groups=recipe.schedule.d_steps),
        recipe.data.restack,
    )


def check_parts(recipe: Recipe, processes: int) -> None:
    """Refuse a number of processes that cannot divide the batch evenly.

    Raises:
        ConfigError: names a size that can be divided.
    """
    size = recipe.schedule.batch_size
    if size % processes:
        near = max(size // processes, 1) * processes
        raise ConfigError(
            f"`schedule.batch_size={size}` is divided over all processes, and {processes} do not "
            f"divide it evenly; use `schedule.batch_size={near}`"
        )


def _few_names(classes: Sequence[str]) -> str:
    """Write the number of classes with some of their names, such as "3 (3, 5, 8)"."""
    names = ", ".join(classes[:10]) + (", ..." if len(classes) > 10 else "")
    return f"{len(classes)} ({names})"
