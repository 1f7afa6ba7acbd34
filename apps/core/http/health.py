"""``/healthz``: the process lives."""

from django.http import HttpRequest, JsonResponse

from apps.core.http.methods import reads_only


@reads_only
def healthz(request: HttpRequest) -> JsonResponse:
    """200 as long as the process answers; asks nobody else."""
    return JsonResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})
