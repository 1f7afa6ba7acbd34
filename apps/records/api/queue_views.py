"""``/v1/record/changestatus`` and ``/v1/record/movetoflow``."""

from rest_framework.request import Request
from rest_framework.response import Response

from apps.applications.api.base import CallerViewSet
from apps.core.errors import BadRequest
from apps.core.http.openapi.operation import operation
from apps.core.http.parameters import one_of
from apps.records.api.openapi_queue import CHANGE_STATUS, MOVE, MOVED
from apps.records.api.uuids import listed_uuids
from apps.records.moving import move_records
from apps.records.queueing import QUEUE_ACTS, Result, change_queue


class QueueViewSet(CallerViewSet):
    """What stands in the queue, and where it runs."""

    required_scopes = {"change_status": "record", "move": "record"}

    @operation(CHANGE_STATUS)
    def change_status(self, request: Request) -> Response:
        """Pause, resume, execute, take out of the queue, or continue after an error."""
        word = one_of(request, headers=("X-Queue-Status",), parameters=("queue_status",))
        act = QUEUE_ACTS.get(word or "")
        if act is None:
            raise BadRequest(f"X-Queue-Status must be one of {', '.join(QUEUE_ACTS)}.")
        results = change_queue(self.caller, act, listed_uuids(request))
        resource = {"records": [_queued(result) for result in results], "total": len(results)}
        return self.answer(resource, f"{_changed(results)} datarecords {act.past}")

    @operation(MOVE)
    def move(self, request: Request) -> Response:
        """Let records begin anew in another flow."""
        flow = one_of(request, headers=("X-MoveToFlow-Flow",), parameters=("movetoflow",))
        moved = move_records(self.caller, flow or "", listed_uuids(request))
        rows = [_moved(result, moved.flow_name) for result in moved.results]
        message = f"{_changed(moved.results)} flows moved to the new one"
        return self.answer({"records": rows, "total": len(rows)}, message)


def _changed(results: list[Result]) -> int:
    return sum(not result.refusal for result in results)


def _queued(result: Result) -> dict[str, str]:
    row = {"uuid": result.uuid, "queue_status": result.state.key, "queue_status_key": result.state.label}
    return row | ({"message": result.refusal} if result.refusal else {})


def _moved(result: Result, flow_name: str) -> dict[str, str]:
    if result.refusal:
        return {"uuid": result.uuid, "message": result.refusal, "movetoflow": ""}
    return {"uuid": result.uuid, "message": MOVED, "movetoflow": flow_name}
