"""Single images side by side on one sheet, as clean ink or in their own gray."""

import numpy as np
from PIL import Image

from inkgan.handwriting.outline import Bounds
from inkgan.handwriting.raster import coverage
from inkgan.handwriting.trace import trace
from inkgan.types import UInt8


def draw_sheet(pictures: UInt8, columns: int, height: int, gray: bool) -> UInt8:
    """Lay images out row by row and return their ink.

    Args:
        pictures: uint8 (n, H, W), n a multiple of the columns; 0 is background.
        columns: of the sheet.
        height: of the sheet in pixels.
        gray: keep the images' gray levels, interpolated, where ink would have clean edges.

    Returns:
        uint8 (height, width); 0 is bare paper, 255 full ink.
    """
    tall, wide = pictures.shape[1:]
    rows = len(pictures) // columns
    if gray:
        sheet = pictures.reshape(rows, columns, tall, wide).swapaxes(1, 2)
        picture = Image.fromarray(sheet.reshape(rows * tall, columns * wide))
        width = round(height * picture.width / picture.height)
        return np.asarray(picture.resize((width, height), Image.Resampling.BICUBIC))
    outlines = [
        outline.moved(index % columns * wide, index // columns * tall)
        for index, picture in enumerate(pictures)
        if (outline := trace(picture)) is not None
    ]
    return coverage(outlines, Bounds(0, 0, columns * wide, rows * tall), height)
