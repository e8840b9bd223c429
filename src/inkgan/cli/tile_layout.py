"""Which of the fixed latents fit on a terminal, and how large each can be."""

from dataclasses import dataclass

import numpy as np

from inkgan.cli.text_pictures import shrink
from inkgan.types import UInt8

GAP = 1  # columns between two tiles
LEAST_WIDTH = 6  # columns of a tile; smaller ones cannot be read


@dataclass(frozen=True)
class TileLayout:
    """A sheet of tiles in a terminal, where a character cell is twice as high as it is wide.

    Attributes:
        columns: tiles side by side.
        rows: of tiles.
        width: columns of characters of a tile.
        height: lines of a tile.
    """

    columns: int
    rows: int
    width: int
    height: int

    @property
    def total_width(self) -> int:
        """Columns of characters of the whole sheet."""
        return self.columns * (self.width + GAP) - GAP

    @property
    def total_height(self) -> int:
        """Lines of the whole sheet."""
        return self.rows * self.height


def fit_tiles(
    room: tuple[int, int], count: int, in_row: int, tile: tuple[int, int]
) -> TileLayout | None:
    """Lay out as many tiles as fit, each as large as one row of the picture allows.

    At least one row of the picture, such as one image of each class, is shown where it can be.

    Args:
        room: columns and lines that are free.
        count: tiles of the picture.
        in_row: tiles in a row of the picture.
        tile: pixels of a tile, width and height.

    Returns:
        None where not one tile of LEAST_WIDTH columns fits.
    """
    best: tuple[tuple[int, int], TileLayout] | None = None
    for columns in range(1, count + 1):
        needed = -(-in_row // columns) if columns < in_row else 1
        width = min(tile[0], (room[0] + GAP) // columns - GAP)
        if width * tile[1] > 2 * (room[1] // needed) * tile[0]:
            width = 2 * (room[1] // needed) * tile[0] // tile[1]
        if width < LEAST_WIDTH:
            continue
        height = max(1, -(-width * tile[1] // (2 * tile[0])))
        rows = min(room[1] // height, -(-count // columns))
        rows = max(needed, rows - rows % needed)
        layout = TileLayout(columns, rows, width, height)
        score = width, min(count, rows * columns)
        if layout.total_height <= room[1] and (best is None or score > best[0]):
            best = score, layout
    if best is None and in_row > 1:  # one row does not fit: as many tiles as do
        return fit_tiles(room, count, 1, tile)
    return best[1] if best else None


def arrange(tiles: UInt8, layout: TileLayout, scale: tuple[int, int]) -> list[UInt8]:
    """Return the tiles of a layout, each resized to `scale` pixels for each character cell.

    Args:
        tiles: uint8 (n, H, W) or (n, H, W, 3).
        layout: says how many, and how large.
        scale: pixels of a cell, width and height.

    Returns:
        One picture for each row of tiles, with black gaps; missing tiles are black.
    """
    width, height = layout.width * scale[0], layout.height * scale[1]
    step = width + GAP * scale[0]
    strips = []
    for row in range(layout.rows):
        shape = (height, layout.total_width * scale[0], *tiles.shape[3:])
        strip = np.zeros(shape, np.uint8)
        for column, image in enumerate(tiles[row * layout.columns : (row + 1) * layout.columns]):
            strip[:, column * step : column * step + width] = shrink(image, width, height)
        strips.append(strip)
    return strips


def cut(picture: UInt8, in_row: int, tile: tuple[int, int]) -> UInt8:
    """Cut a picture without gaps into its tiles, row by row: (n, H, W) or (n, H, W, 3)."""
    width, height = tile
    rows = picture.shape[0] // height
    cells = picture.reshape(rows, height, in_row, width, *picture.shape[2:])
    return np.swapaxes(cells, 1, 2).reshape(rows * in_row, height, width, *picture.shape[2:])
