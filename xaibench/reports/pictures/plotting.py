"""What all plots share: colours, type, and an SVG that is the same from the same records."""

import base64
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK, PALE, GRID, ACCENT, GREY, WARM = "#1f2933", "#9aa5b1", "#e4e7eb", "#0b5fa5", "#6b7280", "#c2570c"


@dataclass(frozen=True)
class Plot:
    """One plot, ready for an `img`, with the line below it."""

    src: str
    """Data address of the SVG."""
    alt: str
    caption: str = ""


def drawn(size: tuple[float, float], draw: Callable[[Axes], None]) -> str:
    """Data address of the SVG of one plot, `size` (width, height) in inches."""
    # Without a salt and with a date the same records would not give the same bytes.
    with matplotlib.rc_context(
        {"svg.hashsalt": "xaibench", "svg.fonttype": "path", "font.size": 8.5, "axes.edgecolor": PALE}
    ):
        figure = Figure(figsize=size, layout="constrained")
        draw(figure.add_subplot())
        file = io.BytesIO()
        figure.savefig(file, format="svg", metadata={"Date": None})
    return "data:image/svg+xml;base64," + base64.b64encode(file.getvalue()).decode()


def dress(axes: Axes, title: str, across: str, grid: Literal["x", "both"]) -> None:
    """Title on the left, words below the horizontal axis, a pale grid, no frame above and on the right."""
    axes.set_title(literal(title), fontsize=10, color=INK, loc="left")
    axes.set_xlabel(across, color=INK)
    axes.tick_params(axis="both", length=0, labelcolor=INK)
    axes.grid(axis=grid, color=GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def literal(text: str) -> str:
    """Keep a dollar sign in a name from starting a formula."""
    return text.replace("$", r"\$")
