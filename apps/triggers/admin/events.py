"""The log of webhook events: what came in, what became of it, and taking it in once more."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from unfold.decorators import display

from apps.accounts.models import Role, Workspace
from apps.applications.caller import Caller
from apps.applications.members import member_caller
from apps.core.admin.access import Access, access_of
from apps.core.admin.display import ATTENTION, DASH, GOOD, NEUTRAL, moment, pretty
from apps.core.admin.filters import TenantRelatedFilter
from apps.core.admin.paginator import BoundedChangeList, BoundedPaginator
from apps.core.admin.tenancy import TenantModelAdmin
from apps.core.errors import FlowizeError
from apps.core.http.client import address_of
from apps.records.models import Record
from apps.triggers.services import replay_event
from apps.webhooks.models import Webhook, WebhookEvent

MOST_REPLAYED = 100
PILLS = {"stored": NEUTRAL, "record": GOOD, "refused": ATTENTION}
_OUTCOMES = {"stored": "Stored", "record": "Record made", "refused": "Refused by its flow"}
_LOOKUPS = {
    "stored": Q(refusal="", record_uuid=""),
    "record": ~Q(record_uuid=""),
    "refused": ~Q(refusal=""),
}


class OutcomeFilter(admin.SimpleListFilter):
    """By what became of the event."""

    title = "outcome"
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The words of the list."""
        return list(_OUTCOMES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The events of the chosen one; an unknown word chooses none of them."""
        chosen = _LOOKUPS.get(self.value() or "")
        return queryset.filter(chosen) if chosen else queryset


@admin.register(WebhookEvent)
class WebhookEventAdmin(TenantModelAdmin):
    """Everybody reads, operators replay, developers remove."""

    organization_path = "workspace__project__organization"
    least_role = {"view": "viewer", "replay": "operator", "delete": "developer"}
    list_display = ("event_id", "webhook_name", "identifier_text", "status_text", "outcome", "address", "received")
    list_filter = (("webhook", TenantRelatedFilter), OutcomeFilter)
    search_fields = ("identifier",)
    search_help_text = "A whole identifier or event id"
    sortable_by = ("received",)
    ordering = ("-id",)
    list_per_page = 50
    paginator = BoundedPaginator
    show_full_result_count = False
    list_max_show_all = 0
    actions = ("replay_selected",)
    change_form_template = "webhooks/event.html"

    def scoped(self, rows: QuerySet[Any], access: Access, act: str, path: str | None = None) -> QuerySet[Any]:
        """By the ids of the workspaces: the indexes begin with them, and a join would keep them from being used."""
        if path or access.everything or act not in self.least_role:
            return super().scoped(rows, access, act, path)
        visible = access.organizations(self.least_role[act])
        workspaces = Workspace.objects.filter(project__organization__in=visible)
        return rows.filter(workspace_id__in=list(workspaces.values_list("pk", flat=True)))

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookEvent]:
        """With webhook and workspace, which every line names, and without the payloads, which none shows."""
        return super().get_queryset(request).select_related("webhook", "workspace__project").defer("payload")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Events with that identifier or id; naming workspaces and webhooks lets the indexes find them."""
        term = search_term.strip()
        if not term:
            return queryset, False
        webhooks = self.admin_site._registry[Webhook].get_queryset(request).order_by().values_list("pk", flat=True)
        named = Q(webhook__in=list(webhooks), identifier=term) | Q(event_id=term.lower())
        return queryset.filter(named, workspace__in=Workspace.objects.all()), False

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[BoundedChangeList]:
        """A list that counts no further than its paginator."""
        return BoundedChangeList

    def get_urls(self) -> list[URLPattern]:
        """Also the replay of one event."""
        replay = self.admin_site.admin_view(self.replay_view)
        own = [path("<path:object_id>/replay/", replay, name="webhooks_webhookevent_replay")]
        return own + super().get_urls()

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """None: the page has a shape of its own."""
        return ()

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """With payload, record and replays."""
        event = context["original"]
        context.update(_page_of(event), may_replay=self.may("replay", request, event))
        return super().render_change_form(request, context, *args, **kwargs)

    def replay_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Take one event in once more; POST only."""
        event = self.row_or_404(request, object_id, "replay")
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        location = "admin:webhooks_webhookevent_change"
        try:
            made = self._replay(request, event)
        except FlowizeError as error:
            return self.refuse(request, error, reverse(location, args=[event.pk]))
        messages.success(request, f"The event has been taken in once more as {made.event_id}.")
        return HttpResponseRedirect(reverse(location, args=[made.pk]))

    @admin.action(description="Replay the selected events", permissions=["replay"])
    def replay_selected(self, request: HttpRequest, queryset: QuerySet[WebhookEvent]) -> None:
        """Take several events in once more, the oldest first; one that is refused stops none of the others."""
        events = list(queryset.order_by("id")[: MOST_REPLAYED + 1])
        if len(events) > MOST_REPLAYED:
            messages.error(request, f"At most {MOST_REPLAYED} events can be replayed at once.")
            return
        refusals = [text for event in events if (text := self._refusal(request, event))]
        if replayed := len(events) - len(refusals):
            messages.success(request, f"{replayed} event{'' if replayed == 1 else 's'} replayed.")
        for text in refusals[:5]:
            messages.error(request, text)

    def has_replay_permission(self, request: HttpRequest) -> bool:
        """Whether the person may replay anything at all; each event is asked for again."""
        return self.may("replay", request)

    def _refusal(self, request: HttpRequest, event: WebhookEvent) -> str:
        """Replay an event of the list; returns why it could not be."""
        if not self.may("replay", request, event):
            return f"{event.event_id}: your role does not allow it."
        try:
            self._replay(request, event)
        except FlowizeError as error:
            return f"{event.event_id}: {error.message}"
        return ""

    def _replay(self, request: HttpRequest, event: WebhookEvent) -> WebhookEvent:
        stored = replay_event(self._caller(request, event.workspace), event.event_id)
        self.log_change(request, event, f"Replayed as {stored.event_id}.")
        return WebhookEvent.objects.in_workspace(event.workspace_id).get(event_id=stored.event_id)

    def _caller(self, request: HttpRequest, workspace: Workspace) -> Caller:
        """The person as services know callers."""
        role = Role(access_of(request).role(workspace.project.organization_id))
        return member_caller(workspace, role, address_of(request))

    @admin.display(description="webhook")
    def webhook_name(self, event: WebhookEvent) -> str:
        """Which address it came to."""
        return event.webhook.name

    @admin.display(description="identifier")
    def identifier_text(self, event: WebhookEvent) -> str:
        """Whom it is about."""
        return event.identifier or DASH

    @admin.display(description="status")
    def status_text(self, event: WebhookEvent) -> str:
        """What happened."""
        return event.status or DASH

    @display(description="outcome", label=PILLS)
    def outcome(self, event: WebhookEvent) -> tuple[str, str]:
        """As a pill."""
        key = outcome_of(event)
        return key, _OUTCOMES[key]

    @admin.display(description="received", ordering="id")
    def received(self, event: WebhookEvent) -> str:
        """In the workspace's zone."""
        return moment(event.received_at, event.workspace.zone)


def outcome_of(event: WebhookEvent) -> str:
    """What became of an event: it was stored, became a record, or was refused by its flow."""
    if event.refusal:
        return "refused"
    return "record" if event.record_uuid else "stored"


def _page_of(event: WebhookEvent) -> dict[str, Any]:
    """What the template shows, every text ready to be read."""
    outcome = outcome_of(event)
    facts = [
        ("Webhook", event.webhook.name),
        ("Identifier", event.identifier or DASH),
        ("Status", event.status or DASH),
        ("From", event.address or DASH),
        ("Received", moment(event.received_at, event.workspace.zone)),
        ("Delivery", event.delivery or DASH),
    ]
    return {
        "event": event,
        "pill": PILLS[outcome],
        "outcome": _OUTCOMES[outcome],
        "facts": facts,
        "zone": event.workspace.time_zone,
        "payload": pretty(event.payload),
        "record": _record_of(event),
        "origin": _origin_of(event),
    }


def _record_of(event: WebhookEvent) -> Record | None:
    """The record made from it, unless that has gone."""
    rows = Record.objects.in_workspace(event.workspace_id)
    return rows.filter(uuid=event.record_uuid).first() if event.record_uuid else None


def _origin_of(event: WebhookEvent) -> WebhookEvent | None:
    """The event it repeats, unless that has gone."""
    rows = WebhookEvent.objects.in_workspace(event.workspace_id).defer("payload")
    return rows.filter(event_id=event.replay_of).first() if event.replay_of else None
