"""Options that several commands have."""

from typing import Annotated

import typer

Slant = Annotated[float | None, typer.Option(help='Degrees from the vertical, positive for "/".')]
Thickness = Annotated[
    float | None, typer.Option(help="Of the stroke, in pixels of the generator's images.")
]
