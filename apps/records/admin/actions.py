"""What can be done with the records that are chosen in their list."""

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from apps.accounts.models import Role, Workspace
from apps.applications.caller import Caller
from apps.applications.members import member_caller
from apps.core.admin.access import access_of
from apps.core.admin.tenancy import TenantModelAdmin
from apps.core.errors import FlowizeError
from apps.core.http.client import address_of
from apps.flows.models import Flow, FlowStatus
from apps.records.life_cycle import Act
from apps.records.models import Record
from apps.records.moving import move_records
from apps.records.queueing import Result, change_queue, review_records

MOST_CHOSEN = 1000
MOST_SHOWN = 10
Perform = Callable[[Caller, list[str]], list[Result]]


class RecordActions(TenantModelAdmin):
    """Operators act on records; each result is told, and what was refused says why."""

    actions: Any = ("pause", "resume", "execute", "dequeue", "carry_on", "review", "move")

    def has_queue_permission(self, request: HttpRequest) -> bool:
        """Operators of any organization; the records of the others are left alone."""
        return self.may("queue", request)

    @admin.action(description="Pause", permissions=["queue"])
    def pause(self, request: HttpRequest, chosen: QuerySet[Record]) -> None:
        """Hold them; they keep their dates."""
        self._perform(request, chosen, lambda caller, uuids: change_queue(caller, Act.PAUSE, uuids), Act.PAUSE)

    @admin.action(description="Resume", permissions=["queue"])
    def resume(self, request: HttpRequest, chosen: QuerySet[Record]) -> None:
        """Give paused ones back to the queue."""
        self._perform(request, chosen, lambda caller, uuids: change_queue(caller, Act.RESUME, uuids), Act.RESUME)

    @admin.action(description="Run now", permissions=["queue"])
    def execute(self, request: HttpRequest, chosen: QuerySet[Record]) -> None:
        """Cut waits short, leave stops."""
        self._perform(request, chosen, lambda caller, uuids: change_queue(caller, Act.EXECUTE, uuids), Act.EXECUTE)

    @admin.action(description="Take out of the queue", permissions=["queue"])
    def dequeue(self, request: HttpRequest, chosen: QuerySet[Record]) -> None:
        """Keep them, and run them no more."""
        self._perform(request, chosen, lambda caller, uuids: change_queue(caller, Act.DEQUEUE, uuids), Act.DEQUEUE)

    @admin.action(description="Resume after error", permissions=["queue"])
    def carry_on(self, request: HttpRequest, chosen: QuerySet[Record]) -> None:
        """Begin the failed object once more."""
        self._perform(request, chosen, lambda caller, uuids: change_queue(caller, Act.CONTINUE, uuids), Act.CONTINUE)

    @admin.action(description="Mark as reviewed", permissions=["queue"])
    def review(self, request: HttpRequest, chosen: QuerySet[Record]) -> None:
        """Say that a person has seen to the error."""
        self._perform(request, chosen, review_records, Act.REVIEW)

    @admin.action(description="Move to another flow …", permissions=["queue"])
    def move(self, request: HttpRequest, chosen: QuerySet[Record]) -> HttpResponse | None:
        """Ask which flow first; the records must be of one workspace."""
        workspaces = list(Workspace.objects.filter(pk__in=chosen.order_by().values("workspace_id").distinct()[:2]))
        if len(workspaces) != 1:
            self.message_user(request, "Choose records of one project: they move within it.", messages.ERROR)
            return None
        flows = Flow.objects.in_workspace(workspaces[0].pk).filter(
            status__in=(FlowStatus.RUNNING, FlowStatus.PAUSED), live_version__isnull=False
        )
        target = flows.filter(pk=_number(request.POST.get("flow"))).first()
        if target is None:
            return self._ask_for_flow(request, chosen, flows)
        self._perform(request, chosen, lambda caller, uuids: move_records(caller, target.name, uuids).results, Act.MOVE)
        return None

    def _ask_for_flow(self, request: HttpRequest, chosen: QuerySet[Record], flows: QuerySet[Flow]) -> HttpResponse:
        request.current_app = self.admin_site.name
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Move to another flow",
            "checkbox": ACTION_CHECKBOX_NAME,
            "chosen": request.POST.getlist(ACTION_CHECKBOX_NAME),
            "across": request.POST.get("select_across", "0"),
            "number": min(chosen.count(), MOST_CHOSEN + 1),
            "flows": flows,
            "back": request.get_full_path(),
        }
        return TemplateResponse(request, "records/move.html", context)

    def _perform(self, request: HttpRequest, chosen: QuerySet[Record], perform: Perform, act: Act) -> None:
        """Workspace by workspace, each as the caller the person is there."""
        rows = list(chosen.order_by("pk").values_list("workspace_id", "uuid")[: MOST_CHOSEN + 1])
        if len(rows) > MOST_CHOSEN:
            self.message_user(request, f"Choose at most {MOST_CHOSEN} records at a time.", messages.ERROR)
            return
        by_workspace: dict[int, list[str]] = {}
        for workspace_id, uuid in rows:
            by_workspace.setdefault(workspace_id, []).append(uuid)
        changed, refused = 0, list[str]()
        for workspace in Workspace.objects.select_related("project").filter(pk__in=by_workspace):
            done, reasons = self._in_workspace(request, workspace, by_workspace[workspace.pk], perform)
            changed += done
            refused += reasons
        self._tell(request, act, changed, refused)

    def _in_workspace(
        self, request: HttpRequest, workspace: Workspace, uuids: list[str], perform: Perform
    ) -> tuple[int, list[str]]:
        organization = workspace.project.organization_id
        if not access_of(request).allows(self.least_role["queue"], organization):
            raise PermissionDenied
        role = Role(access_of(request).role(organization))
        try:
            results = perform(member_caller(workspace, role, address_of(request)), uuids)
        except FlowizeError as error:
            reasons = [f"{uuid}: {detail.message}" for uuid, detail in zip(uuids, error.details, strict=False)]
            return 0, reasons + [error.message] * (len(uuids) - len(reasons))
        return sum(not row.refusal for row in results), [f"{row.uuid}: {row.refusal}" for row in results if row.refusal]

    def _tell(self, request: HttpRequest, act: Act, changed: int, refused: list[str]) -> None:
        if changed:
            noun = "record" if changed == 1 else "records"
            self.message_user(request, f"{changed} {noun} {act.past}.", messages.SUCCESS)
        for line in _bounded(refused):
            self.message_user(request, line, messages.WARNING)


def _bounded(lines: list[str]) -> Iterable[str]:
    yield from lines[:MOST_SHOWN]
    if len(lines) > MOST_SHOWN:
        yield f"{len(lines) - MOST_SHOWN} more could not be changed."


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 19 else 0
