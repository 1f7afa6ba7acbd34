"""``/v1/url/{secret}``: calls of URL triggers."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response

from apps.applications.idempotency import HEADER, REPLAYED, Answer, answer_once, check_key
from apps.applications.ratelimit import RateState, count_url_call
from apps.core.errors import BadRequest
from apps.core.http.client import address_of
from apps.core.http.openapi.operation import operation
from apps.core.jsonio import JSON, write_json
from apps.records.answers import Reply, get_rest
from apps.records.services import CreatedRecord
from apps.triggers.api import openapi
from apps.triggers.api.events import shown_event
from apps.triggers.api.secret_address import SecretAddressViewSet
from apps.triggers.calls import Taken, take
from apps.triggers.entrances import Entrance, find_entrance
from apps.triggers.models import UrlKind
from apps.triggers.waiting import ROOM, patiently


@dataclass(frozen=True, slots=True)
class _Receipt:
    """What became of the body; kept for repeated calls."""

    resource: Any
    uuid: str
    message: str
    replayed: bool


class UrlTriggerViewSet(SecretAddressViewSet):
    """Calls of the URL trigger of a secret."""

    entrance: Entrance

    def reach(self, secret: str, host: str, address: str) -> None:
        """The trigger."""
        self.entrance = find_entrance(secret, host=host, address=address)

    def count(self) -> RateState:
        """Against the trigger's limit."""
        return count_url_call(self.entrance.trigger_id, self.entrance.rate_limit)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """A Sync URL refuses ``fields``: they would choose from an answer that is not there yet."""
        super().initial(request, *args, **kwargs)
        if self.fields is not None and request.method == "POST" and self.entrance.kind == UrlKind.SYNC:
            raise BadRequest("fields cannot choose from the answer of a flow.")

    @operation(openapi.CALL_URL)
    def call(self, request: Request, secret: str) -> HttpResponse:
        """Make a record of the body; with a Sync URL answer as its flow does."""
        receipt = self._take(request, self.document(request))
        response = self._answered(receipt) if self.entrance.kind == UrlKind.SYNC else self._stored(receipt)
        if receipt.replayed:
            response[REPLAYED] = "true"
        return response

    def _take(self, request: Request, payload: JSON) -> _Receipt:
        """Store the body, or find what was stored of it under the same ``Idempotency-Key``."""

        def act() -> Answer:
            taken = take(self.entrance, payload, address=address_of(request._request))
            return Answer(201, write_json(self._shown(taken, isinstance(payload, list))).decode())

        answer, replayed = self._once(request, payload, act)
        return _Receipt(**json.loads(answer.document), replayed=replayed)

    def _once(self, request: Request, payload: JSON, act: Callable[[], Answer]) -> tuple[Answer, bool]:
        key = request.headers.get(HEADER, "").strip()
        if not key:
            return act(), False
        check_key(key)
        own = f"url:{self.entrance.trigger_id}:{hashlib.sha256(key.encode()).hexdigest()}"
        return answer_once(self.entrance.caller, own, hashlib.sha256(write_json(payload)).hexdigest(), act)

    def _shown(self, taken: list[Taken], several: bool) -> dict[str, Any]:
        rows = [self._row(one) for one in taken]
        made = [one.uuid for one in taken if isinstance(one, CreatedRecord)]
        text = "Data Record is created successfully" if made else "Data stored successfully"
        several = several and self.entrance.batch
        return {"resource": rows if several else rows[0], "uuid": made[0] if made else "", "message": text}

    def _row(self, taken: Taken) -> dict[str, Any]:
        if isinstance(taken, CreatedRecord):
            return {
                "flow_id": str(taken.flow_id),
                "flow_name": taken.flow_name,
                "data_record_id": taken.uuid,
                "data_record": taken.document,
            }
        if self.entrance.receiver is None:
            raise AssertionError("only a Dynamic URL stores events")
        return shown_event(self.entrance.receiver, taken)

    def _stored(self, receipt: _Receipt) -> Response:
        return self.answer(receipt.resource, receipt.message, 201)

    def _answered(self, receipt: _Receipt) -> HttpResponse:
        """The flow's answer once the record rests; 202 when that takes too long, or too many wait already."""
        workspace_id, uuid = self.entrance.workspace_id, receipt.uuid
        rests = ROOM.wait(workspace_id, uuid, self.entrance.seconds)
        found = patiently(lambda: get_rest(workspace_id, uuid)) if rests else None
        if found is None:  # also for a database that is away: the record is stored, and its uuid must not be lost
            return self.answer({"uuid": uuid}, "Data Record is being processed", 202)
        if found.reply:
            return _sent(found.reply)
        resource = {"uuid": uuid, "status": found.status, "data": found.data}
        return self.answer(resource, "Data Record has come to rest")


def _sent(reply: Reply) -> HttpResponse:
    response = HttpResponse(reply.body.encode(), status=reply.status, headers=dict(reply.headers))
    if reply.content_type:
        response["Content-Type"] = reply.content_type
    else:
        del response["Content-Type"]
    response.headers.setdefault("Cache-Control", "no-store")
    return response
