"""The browser of keys and the page of one."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.accounts.models import Role
from apps.applications.caller import Caller
from apps.applications.members import member_caller
from apps.core.admin.access import Access, access_of
from apps.core.admin.display import moment
from apps.core.admin.filters import TenantRelatedFilter
from apps.core.admin.paginator import BoundedChangeList, BoundedPaginator
from apps.core.admin.tenancy import TenantModelAdmin
from apps.core.errors import PreconditionFailed
from apps.core.http.client import address_of
from apps.core.preconditions import Part
from apps.keystores import services
from apps.keystores.admin.forms import MOST_EDITED, ItemForm, readable
from apps.keystores.content import Document
from apps.keystores.models import Keystore, KeystoreItem
from apps.keystores.selectors import version_parts

_FILTER = "keystore__id__exact"


@dataclass(frozen=True, slots=True)
class Seen:
    """The version somebody was shown, as a condition of their change."""

    version: tuple[Part, ...]

    def check(self, *version: Part, modified: datetime | None = None) -> None:
        """Raise ``PreconditionFailed`` for any other."""
        if version != self.version:
            raise PreconditionFailed


class KeysPaginator(BoundedPaginator):
    """Says how to find keys beyond those that are counted."""

    template_name = "keystores/keys_pagination.html"


@admin.register(KeystoreItem)
class KeystoreItemAdmin(TenantModelAdmin):
    """Keys of one keystore after the other: what they hold is read for one at a time."""

    form = ItemForm
    organization_path = "keystore__workspace__project__organization"
    list_display = ("key", "keystore_name", "modified")
    list_filter = (("keystore", TenantRelatedFilter),)
    search_fields = ("key",)
    search_help_text = "How the key begins"
    sortable_by = ()
    list_per_page = 50
    paginator = KeysPaginator
    show_full_result_count = False
    list_max_show_all = 0
    actions = None
    add_fieldsets = ((None, {"fields": ("keystore", "key", "content", "basis")}),)

    def scoped(self, rows: QuerySet[Any], access: Access, act: str, path: str | None = None) -> QuerySet[Any]:
        """By the ids of the keystores: the indexes begin with them, and a join would keep them from being used."""
        if path or access.everything or act not in self.least_role:
            return super().scoped(rows, access, act, path)
        visible = access.organizations(self.least_role[act])
        keystores = Keystore.objects.filter(workspace__project__organization__in=visible)
        return rows.filter(keystore_id__in=list(keystores.values_list("pk", flat=True)))

    def get_queryset(self, request: HttpRequest) -> QuerySet[KeystoreItem]:
        """With keystore and workspace, which every line names, and without what the keys hold."""
        return super().get_queryset(request).select_related("keystore__workspace__project").defer("data")

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """By key within a keystore, as their index has them; else the newest first."""
        return ("key",) if _FILTER in request.GET else ("-id",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Keys that begin so; naming the keystores lets their index find them for superusers too."""
        if not search_term:
            return queryset, False
        return queryset.filter(keystore__in=Keystore.objects.all()).beginning_with(search_term), False  # type: ignore[attr-defined]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[BoundedChangeList]:
        """A list that counts no further than its paginator."""
        return BoundedChangeList

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A key keeps its name."""
        fields = super().get_readonly_fields(request, obj)
        return (*fields, "key", "text", "modified") if obj else fields

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Without the text for those who may not change it, or no browser could."""
        if obj is not None and not self._may_edit(request, obj):
            kwargs["fields"] = ("keystore", "key")
            kwargs["exclude"] = ("content", "basis")
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """As ``get_form``."""
        if obj is None:
            return self.add_fieldsets
        shown = ("content", "basis") if self._may_edit(request, obj) else ("text",)
        return ((None, {"fields": ("keystore", "key", *shown, "modified")}),)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A new key begins with its keystore's structure."""
        initial = super().get_changeform_initial_data(request)
        chosen = str(initial.get("keystore", ""))
        keystores = self.choices_for(KeystoreItem._meta.get_field("keystore"), request, "add")
        keystore = (
            keystores.filter(pk=chosen).first()
            if chosen.isascii() and chosen.isdecimal() and len(chosen) < 19
            else None
        )
        return initial | ({"content": readable(keystore.kind, keystore.structure)} if keystore else {})

    def caller(self, request: HttpRequest, keystore: Keystore) -> Caller:
        """The person as services know callers."""
        workspace = keystore.workspace
        role = Role(access_of(request).role(workspace.project.organization_id))
        return member_caller(workspace, role, address_of(request))

    def save_model(self, request: HttpRequest, obj: KeystoreItem, form: Any, change: bool) -> None:
        """What the key holds, when its text has changed."""
        if not form.content_changed:
            return
        caller, keystore = self.caller(request, obj.keystore), obj.keystore.identifier
        content = Document(json.loads(form.cleaned_data["content"]))
        if change:
            services.put_item(caller, keystore, obj.key, content, precondition=Seen(version_parts(obj)))
        else:
            obj.pk = services.create_item(caller, keystore, obj.key, content).id
            obj._state.adding = False
        obj.refresh_from_db()

    def _may_edit(self, request: HttpRequest, item: KeystoreItem) -> bool:
        return self.may("change", request, item) and len(item.data) <= MOST_EDITED

    @admin.display(description="keystore")
    def keystore_name(self, item: KeystoreItem) -> str:
        """Which it is in, and whose that is."""
        return f"{item.keystore} ({item.keystore.workspace.project})"

    @admin.display(description="value")
    def text(self, item: KeystoreItem) -> SafeString:
        """As people read it; of what is very long, the beginning."""
        text = readable(item.keystore.kind, item.data)
        note = (
            f"The first {MOST_EDITED} characters; change a value as long as this through the API."
            if len(text) > MOST_EDITED
            else ""
        )
        return format_html('<pre class="flowize-code">{}</pre><p>{}</p>', text[:MOST_EDITED], note)

    @admin.display(description="changed")
    def modified(self, item: KeystoreItem) -> str:
        """In the workspace's zone."""
        return moment(item.date_modified, item.keystore.workspace.zone)
