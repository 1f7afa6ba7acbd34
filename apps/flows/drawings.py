"""Drawings of flow versions, and what the rest of the platform needs to show them."""

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from django.utils.safestring import SafeString, mark_safe

from apps.flows.diagram.marks import Marks
from apps.flows.diagram.picture import picture_of
from apps.flows.diagram.style import STYLE_HASH
from apps.flows.diagram.svg import Drawing, draw
from apps.flows.models import Flow, FlowVersion, VersionStatus

# Of a drawing that is a document of its own: its one style sheet, and nothing else.
DRAWING_POLICY = f"default-src 'none'; style-src {STYLE_HASH}; frame-ancestors 'none'"


def drawing_of(
    flow: Flow,
    version: FlowVersion | None,
    *,
    about: str = "",
    marks: Marks | None = None,
    link: Callable[[str], str] | None = None,
) -> SafeString:
    """The SVG of a version, also of one that is not right yet; an empty drawing when there is none.

    ``about`` says in a sentence what the marks show; ``link`` leads from an object to a place on the same page.
    """
    title = f"{flow.name}, version {version.number}" if version else flow.name
    described = " ".join(filter(None, [flow.description, about]))
    if marks is None and link is None:
        return _plain(version.source if version else "null", title, described)
    return _drawn(version.document if version else None, title, described, marks or Marks(), link)


@lru_cache(maxsize=16)
def _plain(source: str, title: str, described: str) -> SafeString:
    """A drawing that only its flow changes; one of 500 objects takes some tenths of a second."""
    return _drawn(json.loads(source), title, described, Marks(), None)


def _drawn(document: Any, title: str, described: str, marks: Marks, link: Callable[[str], str] | None) -> SafeString:
    drawn = draw(Drawing(picture_of(document), title, described, marks, link))
    return mark_safe(drawn)  # noqa: S308 - whatever people have written was escaped where it was written


def file_name(flow: Flow, version: FlowVersion) -> str:
    """What the file of a drawing is called; names of flows hold what names of files must not."""
    return f"flow-{flow.pk}-version-{version.number}.svg"


def newest_version(flow: Flow) -> FlowVersion | None:
    """The draft, else what was published last."""
    draft = flow.versions.filter(status=VersionStatus.DRAFT).first()
    return draft or flow.live_version
