"""From SVG to PNG: by resvg with a font of its own, so that every machine makes the same picture."""

from importlib.resources import files
from importlib.util import find_spec

from fairway.domain.errors import UserError

ZOOM = 2.0
"""Pixels for each unit of the SVG."""


def require_renderer() -> None:
    """Says what is missing.

    Raises:
        UserError: code `plot-extra`.
    """
    missing = [name for name in ("resvg_py", "ttf_opensans") if find_spec(name) is None]
    if missing:
        sentence = f"PNG needs {' and '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not installed here"
        raise UserError("plot-extra", sentence, "install fairway[plot], or name a file that ends in .svg")


def render(svg: str) -> bytes:
    """The picture as PNG, on a light ground.

    Args:
        svg: what `draw_svg` gave.
    """
    import resvg_py

    folder = files("ttf_opensans") / "ttf"
    fonts = [str(folder / f"OpenSans-{kind}.ttf") for kind in ("Regular", "SemiBold")]
    return bytes(
        resvg_py.svg_to_bytes(
            # The font has no arrows.
            svg_string=svg.replace("→", "›"),
            zoom=ZOOM,
            font_files=fonts,
            font_family="Open Sans",
            sans_serif_family="Open Sans",
        )
    )
