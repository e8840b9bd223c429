"""Outlines as scalable vector graphics."""

from collections.abc import Iterable
from xml.sax.saxutils import escape

from inkgan.handwriting.colors import RGB, Colors
from inkgan.handwriting.layout import LineLayout
from inkgan.handwriting.outline import Bounds, Outline
from inkgan.types import Float64

DIGITS_BEHIND_POINT = 2  # a hundredth of a generator's pixel


def to_svg(line: LineLayout, colors: Colors, height: int, description: str) -> str:
    """Return a line as an SVG document.

    Args:
        line: what to draw.
        colors: of ink and paper; without paper there is nothing behind the ink.
        height: of the picture in CSS pixels; it stays smooth at any other.
        description: who drew it, for <desc>.
    """
    page = line.page
    width = page.width / page.height * height
    box = " ".join(map(_number, (page.left, page.top, page.width, page.height)))
    paper = ""
    if colors.paper is not None:
        paper = f'{_rectangle(page)} fill="{_hex(colors.paper)}"/>\n'
    paths = "\n".join(f'<path d="{data}"/>' for data in _paths(o for _, o in line.characters))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_number(width)}" height="{height}" '
        f'viewBox="{box}" role="img">\n'
        f"<title>{escape(line.text)}</title>\n"
        f"<desc>{escape(description)}</desc>\n"
        f"{paper}"
        f'<g fill="{_hex(colors.ink)}" fill-rule="evenodd">\n{paths}\n</g>\n</svg>\n'
    )


def _paths(outlines: Iterable[Outline]) -> Iterable[str]:
    for outline in outlines:
        yield "".join(map(_path, outline.curves))


def _path(curve: Float64) -> str:
    start = " ".join(map(_number, curve[0, 0]))
    segments = "".join("C" + " ".join(map(_number, segment[1:].ravel())) for segment in curve)
    return f"M{start}{segments}Z"


def _rectangle(page: Bounds) -> str:
    left, top, width, height = map(_number, (page.left, page.top, page.width, page.height))
    return f'<rect x="{left}" y="{top}" width="{width}" height="{height}"'


def _number(value: float) -> str:
    text = f"{value:.{DIGITS_BEHIND_POINT}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _hex(color: RGB) -> str:
    return "#{:02x}{:02x}{:02x}".format(*color)
