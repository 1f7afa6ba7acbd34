"""The demonstration's echo: answers with what it was sent, and counts each Idempotency-Key."""

import json
import time
from typing import Any

from django.db.models import F
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from apps.core.errors import NotFound
from apps.core.http.error_pages import respond
from flowize.demo.models import Echo, EchoCall

LONGEST_DELAY = 10.0


@csrf_exempt
def echo(request: HttpRequest, token: str) -> HttpResponse:
    """POST: the body back, after ``?delay=`` seconds (at most 10). GET: how often each Idempotency-Key was seen."""
    found = Echo.objects.filter(token=token).first()
    if found is None:
        return respond(request, NotFound())
    if request.method == "GET":
        return JsonResponse({"calls": dict(found.calls.values_list("key", "count"))})
    count = _count(found, request.headers.get("Idempotency-Key", "")[:255])
    time.sleep(_delay(request.GET.get("delay", "0")))
    return JsonResponse({"received": _body(request), "times_seen": count})


def _count(found: Echo, key: str) -> int:
    call, created = EchoCall.objects.get_or_create(echo=found, key=key)
    if not created:
        EchoCall.objects.filter(pk=call.pk).update(count=F("count") + 1)
        call.refresh_from_db()
    return call.count


def _delay(text: str) -> float:
    try:
        return min(max(float(text), 0.0), LONGEST_DELAY)
    except ValueError:
        return 0.0


def _body(request: HttpRequest) -> Any:
    try:
        return json.loads(request.body or b"null")
    except ValueError:
        return None
