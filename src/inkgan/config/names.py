"""Names of losses, penalties and augmentations that a recipe may use.

The built-in names are listed here, so that a recipe is validated without importing torch. The
functions behind them are in `inkgan.training`. `inkgan.register_loss`, `register_penalty` and
`register_augmentation` add names; a recipe that uses one is valid once it has been registered.
"""

import re
from typing import Annotated

from pydantic import AfterValidator, ValidationInfo
from pydantic_core import PydanticCustomError

from inkgan.errors import ConfigError

UNREGISTERED = "unregistered"
"""Key of a validation context; true accepts names that nobody has registered.

To draw with a trained generator needs no loss, so a bundle is read in this way.
"""


class NameRegistry:
    """The names of one kind of function: the built-in ones, then those registered."""

    def __init__(self, kind: str, *built_in: str) -> None:
        self.kind, self.built_in = kind, built_in
        self._registered: list[str] = []

    @property
    def names(self) -> tuple[str, ...]:
        """All names that a recipe may use."""
        return (*self.built_in, *self._registered)

    def add(self, name: str) -> None:
        """Add a name; adding it again is allowed, so that a notebook cell can run twice.

        Raises:
            ConfigError: the name is a built-in one or is not letters, digits, - and _.
        """
        if name in self.built_in:
            raise ConfigError(f"the {self.kind} {name!r} is built in; register another `name`")
        if not re.fullmatch(r"[A-Za-z][\w-]*", name, re.ASCII):
            raise ConfigError(f"`name` must be letters, digits, - and _, not {name!r}")
        if name not in self._registered:
            self._registered.append(name)

    def check(self, name: str, info: ValidationInfo) -> str:
        """Validate a name, as pydantic calls it."""
        if name in self.names or (info.context or {}).get(UNREGISTERED):
            return name
        expected = ", ".join(f"'{known}'" for known in self.names)
        raise PydanticCustomError(
            "literal_error", "should be {expected}", {"expected": expected, "kind": self.kind}
        )


LOSSES = NameRegistry(
    "loss", "non-saturating", "minimax", "least-squares", "hinge", "wasserstein", "relativistic"
)
PENALTIES = NameRegistry("penalty", "r1", "r2", "wgan_gp", "dragan")
AUGMENTATIONS = NameRegistry("augmentation", "translation", "cutout", "color")


def _check_custom_penalty(name: str, info: ValidationInfo) -> str:
    if name in PENALTIES.built_in:
        raise ValueError(f"the penalty {name!r} is built in: use `objective.penalties.{name}`")
    return PENALTIES.check(name, info)


LossName = Annotated[str, AfterValidator(LOSSES.check)]
CustomPenaltyName = Annotated[str, AfterValidator(_check_custom_penalty)]
AugmentationName = Annotated[str, AfterValidator(AUGMENTATIONS.check)]
