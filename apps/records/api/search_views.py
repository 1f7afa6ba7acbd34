"""``/v1/record/search``."""

from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import parse_qsl

from django.conf import settings
from django.http import QueryDict
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from apps.applications.api.base import CallerViewSet
from apps.core import dates, paging
from apps.core.errors import BadRequest, BodyTooLarge
from apps.core.http.openapi.operation import operation
from apps.core.http.parameters import one_of
from apps.core.http.parsers import read_body
from apps.core.jsonio import read_json, write_json
from apps.flows.selectors import program
from apps.records.api.openapi_search import search
from apps.records.life_cycle import QueueState, state_of
from apps.records.models import Hold, Status
from apps.records.searching import FoundRecord, Search, search_records

# What is searched by: the name inside, its headers, its names in the URL or a form.
PARAMETERS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "limit": (("X-Limit",), ("limit",)),
    "offset": (("X-Offset",), ("offset",)),
    "uuid": (("X-Uuid", "uuid"), ("uuid",)),
    "flow_id": (("X-Flow-Id",), ("flow_id",)),
    "flow_name": (("X-Flow",), ("flow_name", "flow")),
    "status": (("X-Datarecord-Status",), ("datarecord_status",)),
    "field_name": (("X-Datafield-Name",), ("datafield_name",)),
    "field_value": (("X-Datafield-Value",), ("datafield_value",)),
    "date_type": (("X-Date-Type",), ("date_type",)),
    "date_from": (("X-Date-From",), ("date_from",)),
    "date_to": (("X-Date-To",), ("date_to",)),
}
DEFAULT_LIMIT, MOST = 10, 100
FORMS = ("", "application/json", "application/x-www-form-urlencoded")


class SearchViewSet(CallerViewSet):
    """Searching data records."""

    required_scopes = {"list": "record.read"}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Take the parameters of a body as those of the URL, the credentials too: published lines send both so."""
        if request.method != "OPTIONS" and (size := int(request.META.get("CONTENT_LENGTH") or 0)):
            cast(Any, request._request).GET = self._with_body(request, size)
        super().initial(request, *args, **kwargs)

    def _with_body(self, request: Request, size: int) -> QueryDict:
        if size > settings.QUERY_LIMIT:
            raise BodyTooLarge(f"The parameters are longer than {settings.QUERY_LIMIT} characters.")
        merged = request._request.GET.copy()
        for name, value in _pairs(request):
            merged.appendlist(name, value)
        return merged

    @operation(search(PARAMETERS))
    def list(self, request: Request) -> Response:
        """Records by uuid, flow, status, data field and dates, newest first."""
        wanted = self._search(_given(request))
        found = search_records(self.caller, wanted)
        resource = {
            "records": [self._row(record) for record in found.records],
            "total": found.total,
            "offset": wanted.page.offset,
            "limit": wanted.page.limit,
        }
        return self.answer(resource, "The query has been executed successfully.")

    def _search(self, given: Mapping[str, str]) -> Search:
        zone = self.caller.zone
        first, last = given.get("date_from"), given.get("date_to")
        return Search(
            page=paging.read_page(given.get("limit"), given.get("offset"), default=DEFAULT_LIMIT, most=MOST),
            uuid=given.get("uuid", ""),
            flow_id=_number("flow_id", given.get("flow_id")),
            flow_name=given.get("flow_name", ""),
            status=_number("datarecord_status", given.get("status")),
            date_type=given.get("date_type", "date_created"),
            first=dates.read_first("date_from", first, zone) if first else None,
            last=dates.read_last("date_to", last, zone) if last else None,
            field_name=given.get("field_name", ""),
            field_value=given.get("field_value", ""),
        )

    def _row(self, record: FoundRecord) -> dict[str, Any]:
        zone = self.caller.zone
        state = state_of(record.status, record.hold, record.wake_at)
        return {
            "id": str(record.record_id),
            "uuid": record.uuid,
            "flow_id": str(record.flow_id),
            "flow_name": record.flow_name,
            "flow_version": str(record.version_number),
            "date_created": dates.render(record.date_created, zone),
            "date_started": dates.render(record.date_started, zone),
            "date_last_run": dates.render(record.date_last_run, zone),
            "date_next_run": dates.render(_next_run(record, state), zone),
            "queue_status": state.key,
            "dynamic_value": record.dynamic_value or "",
            "current_step": _step(record),
            "num_runs": str(record.num_runs),
            "flow_status": str(record.status),
            "flow_status_name": Status(record.status).label,
        }


def _given(request: Request) -> dict[str, str]:
    """The search's parameters; one in a header, and those of the URL no longer count."""
    in_headers = {name: one_of(request, headers=headers) for name, (headers, _) in PARAMETERS.items()}
    if any(in_headers.values()):
        return {name: value for name, value in in_headers.items() if value}
    in_url = {name: one_of(request, parameters=parameters) for name, (_, parameters) in PARAMETERS.items()}
    return {name: value for name, value in in_url.items() if value}


def _number(name: str, text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise BadRequest(f"{name} must be a number.")
    return int(text)


def _next_run(record: FoundRecord, state: QueueState) -> Any:
    """When it will run by itself: a due time is the end of a lease in a worker's hands, and now for a new record."""
    if record.hold == Hold.PAUSED:
        return record.saved_wake_at if (record.saved_wake_at or timezone.now()) > timezone.now() else None
    return record.wake_at if state in (QueueState.SCHEDULED, QueueState.WAITING) else None


def _step(record: FoundRecord) -> dict[str, str]:
    """The object it stands on; one that was never run stands at the start."""
    flow = program(record.version_id)
    node = flow.nodes.get(record.at or flow.start)
    return {"type": node.type if node else "", "text": node.text if node else record.at}


def _pairs(request: Request) -> list[tuple[str, str]]:
    """The parameters of a body: of a form, also of one that calls itself JSON as curl's does, or of an object."""
    kind = (request.content_type or "").partition(";")[0].strip().lower()
    if kind not in FORMS:
        return _members(request.data)
    body = read_body(cast(Any, request._request))
    if body.lstrip()[:1] in (b"{", b"["):
        return _members(read_json(body))
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=100, errors="strict")
    except ValueError:
        raise BadRequest("The form in the body cannot be read.") from None


def _members(document: Any) -> list[tuple[str, str]]:
    if not isinstance(document, dict) or any(isinstance(value, dict | list) for value in document.values()):
        raise BadRequest("A search takes headers, URL parameters, a form, or an object of texts and numbers.")
    return [(name, _text(value)) for name, value in document.items()]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else write_json(value).decode()
