"""``/site/{key}/…``: the Designer copy of a website, for whoever has the link."""

from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from apps.contents.api.responses import respond
from apps.contents.serving import find_preview


@csrf_exempt
def preview(request: HttpRequest, key: str, rest: str) -> HttpResponseBase:
    """A file of it, as the environment's host would show it, but kept apart from the admin of this host."""
    return respond(request, find_preview(key, rest), sandboxed=True)
