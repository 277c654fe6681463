"""Pictures for a page: vector graphics whose lines and letters are dark on a light page and light on a dark one."""

import base64
import html
import io
from collections.abc import Sequence

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from glowsep.show import colour

#: Pixels per inch of a figure, at least, or its letters would be too small to read, and at most.
NARROWEST, WIDEST = 56, 110

STYLE = (
    "<style>svg{color:#1c1c1c;--paper:#ffffff}text{fill:currentColor}"
    "@media(prefers-color-scheme:dark){svg{color:#e8e8e8;--paper:#15171b}}</style>"
)


def loss_curves(histories: Sequence[Sequence[dict[str, float]]]) -> str:
    """The two terms of a search's loss, each summed over the segments of the song that were searched.

    Parameters
    ----------
    histories : list of list of dict
        Per segment, per iteration: "likelihood" and "prior", in nats.
    """
    figure = Figure(figsize=(5, 4.5), layout="constrained")
    panels = figure.subplots(2, 1, sharex=True)
    titles = {"likelihood": "mixture: −log likelihood", "prior": "sources: −log prior"}
    for index, (axes, (term, title)) in enumerate(zip(panels, titles.items(), strict=True)):
        total = np.sum([[terms[term] for terms in history] for history in histories], axis=0)
        axes.plot(np.arange(1, len(total) + 1), total, color=colour(index), marker="o" if len(total) == 1 else None)
        axes.set_title(title, fontsize="medium")
        axes.set_ylabel("nats")
        axes.grid(alpha=0.3)
    panels[-1].set_xlabel("iteration")
    panels[-1].xaxis.set_major_locator(MaxNLocator(integer=True))
    alt = "Two curves over the search's iterations: minus the log-likelihood, and minus the log-prior."
    return picture(figure, alt)


def picture(figure: Figure, alt: str) -> str:
    """A figure of Matplotlib as an element of HTML, with words for those who do not see it."""
    file = io.StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "glowsep"}):
        figure.savefig(file, format="svg", dpi=200, transparent=True, metadata={"Date": None, "Creator": None})
    svg = file.getvalue().replace("#000000", "currentColor").replace("#ffffff", "var(--paper)")
    start = svg.index(">", svg.index("<svg")) + 1
    content = base64.b64encode((svg[:start] + STYLE + svg[start:]).encode("utf-8")).decode("ascii")
    narrowest, widest = NARROWEST * figure.get_figwidth(), WIDEST * figure.get_figwidth()
    return (
        f'<figure><img alt="{html.escape(alt)}" style="min-width: {narrowest:.0f}px; max-width: {widest:.0f}px" '
        f'src="data:image/svg+xml;base64,{content}"></figure>'
    )
