"""Drawings as files of their own."""

from django.http import HttpResponse

from apps.flows.drawings import DRAWING_POLICY


def drawing_file(drawing: str, name: str) -> HttpResponse:
    """A drawing to keep under that name; it may use its own style sheet and nothing else."""
    return HttpResponse(
        drawing,
        content_type="image/svg+xml; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Content-Security-Policy": DRAWING_POLICY,
            "Cache-Control": "private, no-cache",
        },
    )
