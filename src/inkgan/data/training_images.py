"""What can be wrong with a set before it is trained on."""

import torch

from inkgan.data.dataset import Dataset
from inkgan.errors import ConfigError, DataError
from inkgan.plural import counted

LEAST_CONTRAST = 16  # levels between the darkest and the lightest pixel of a set
FAINT_CONTRAST = 64  # below which a line says so: such pictures are black, or gray, to the eye


def check_training_images(dataset: Dataset, conditional: bool) -> tuple[str, ...]:
    """Refuse a set in which nothing shows, or that lacks classes which the generator will draw.

    Args:
        dataset: the training split.
        conditional: the generator is trained to draw each class when it is asked for.

    Returns:
        Notes on images and classes that are odd, in words.

    Raises:
        DataError: all pixels have nearly one level.
        ConfigError: a conditional generator would never see some of its classes.
    """
    low, high = int(dataset.images.min()), int(dataset.images.max())
    if high - low < LEAST_CONTRAST:
        levels = f"all are {low}" if low == high else f"all lie between {low} and {high}"
        raise DataError(
            f"nothing shows in the {counted(len(dataset), 'image')} of {dataset.name}: of the "
            f"levels 0 to 255 of their pixels {levels}; look at the files, and save them as 8 bits "
            "of gray"
        )
    notes = []
    if high - low < FAINT_CONTRAST:
        notes.append(
            f"The images are faint: of the levels 0 to 255 their pixels go from {low} to {high} "
            "alone; stretch them if that is not meant."
        )
    counts = torch.bincount(dataset.labels.cpu(), minlength=len(dataset.classes))
    empty = [name for name, count in zip(dataset.classes, counts, strict=True) if not count]
    if empty:
        names = ", ".join(empty[:10]) + (", ..." if len(empty) > 10 else "")
        missing = f"{dataset.name} has no training images of {names}"
        if conditional:
            present = len(dataset.classes) - len(empty)
            raise ConfigError(
                f"{missing}, which would be drawn all the same; `data.name=idx:PATH` takes the "
                f"labels that occur as classes, with `model.classes={present}`"
            )
        notes.append(f"{missing}.")
    flat = dataset.images.flatten(1)
    blank = int((flat.amax(1) == flat.amin(1)).sum())
    if blank:
        notes.append(f"{counted(blank, 'image')} of one level alone: nothing shows in them.")
    return tuple(notes)
