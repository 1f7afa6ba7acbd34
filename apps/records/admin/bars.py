"""A small bar chart, drawn here: it needs no script, and nothing of it is evaluated in the browser."""

from collections.abc import Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

WIDTH, HEIGHT, GAP = 600, 64, 3


def bars(values: Sequence[int], labels: Sequence[str], about: str) -> SafeString:
    """The chart of these numbers; each bar says its label when it is pointed at, the whole says ``about``."""
    most = max(values, default=0) or 1
    step = WIDTH / max(len(values), 1)
    drawn = []
    for place, (value, label) in enumerate(zip(values, labels, strict=True)):
        height = max(round(value / most * HEIGHT), 2 if value else 1)
        drawn.append(
            (round(place * step, 1), HEIGHT - height, round(step - GAP, 1), height, "full" if value else "none", label)
        )
    inner = format_html_join(
        "", '<rect x="{}" y="{}" width="{}" height="{}" rx="1.5" class="flowize-bar-{}"><title>{}</title></rect>', drawn
    )
    return format_html(
        '<svg class="flowize-minutes" role="img" aria-label="{}" viewBox="0 0 {} {}" '
        'preserveAspectRatio="none">{}</svg>', about, WIDTH, HEIGHT, inner,
    )  # fmt: skip
