"""Secrets that a page shows once, in the very response of the act that made them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.template.response import TemplateResponse

_KEPT = "_flowize_secrets"


@dataclass(frozen=True, slots=True)
class Shown:
    """One line of the page: what it is, its value, and whether it can never be seen again."""

    label: str
    value: str
    secret: bool = True


def keep_for_response(request: HttpRequest, shown: Sequence[Shown]) -> None:
    """Carry secrets from the save to the response of this request; they are stored nowhere."""
    setattr(request, _KEPT, tuple(shown))


def kept_for_response(request: HttpRequest) -> tuple[Shown, ...]:
    """What the save left to be shown."""
    return getattr(request, _KEPT, ())


def page(request: HttpRequest, context: dict[str, Any], shown: Sequence[Shown]) -> TemplateResponse:
    """The page with the secrets; no cache keeps it and no link leads to it."""
    response = TemplateResponse(request, "core/shown_once.html", {**context, "shown": shown})
    response["Cache-Control"] = "no-store"
    return response
