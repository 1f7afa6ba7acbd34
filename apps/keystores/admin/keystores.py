"""The page of a keystore and the way to its keys."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from apps.core.admin.display import GOOD, NEUTRAL, moment
from apps.core.admin.filters import TenantRelatedFilter
from apps.core.admin.paginator import MOST_COUNTED
from apps.core.admin.tenancy import TenantModelAdmin
from apps.keystores.admin.forms import KeystoreForm, readable
from apps.keystores.models import Keystore, KeystoreItem, Kind


@admin.register(Keystore)
class KeystoreAdmin(TenantModelAdmin):
    """Developers make keystores; their keys come through callers, flows and people."""

    form = KeystoreForm
    organization_path = "workspace__project__organization"
    list_display = ("identifier", "project", "kind_pill", "keys", "modified")
    list_filter = ("kind", ("workspace", TenantRelatedFilter))
    search_fields = ("identifier", "description")
    actions = None
    change_form_template = "keystores/keystore_form.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Keystore]:
        """With the names that stand beside each."""
        return super().get_queryset(request).select_related("workspace__project")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """What callers rely on, once the keystore is there."""
        fields = super().get_readonly_fields(request, obj)
        return (*fields, "identifier", "kind", "structure_text") if obj else fields

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """With the structure to read for those who may not change it."""
        may_change = obj is None or self.may("change", request, obj)
        last = "structure" if may_change else "structure_text"
        return ((None, {"fields": ("workspace", "identifier", "kind", "description", last)}),)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """With the number of its keys."""
        keystore = context.get("original")
        if keystore is not None:
            number = keystore.items.all()[:MOST_COUNTED].count()
            may_change = self.may("change", request, keystore)
            context.update(keystore=keystore, number=number, is_bounded=number == MOST_COUNTED, may_change=may_change)
        return super().render_change_form(request, context, *args, **kwargs)

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, Any], set[str], list[Any]]:
        """The keystores by name and the number of their keys, of which there may be millions."""
        number = KeystoreItem.objects.filter(keystore__in=objs)[:MOST_COUNTED].count()
        counts = {"keystores": len(objs), "keys": f"{number} or more" if number == MOST_COUNTED else number}
        denied = not all(self.has_delete_permission(request, obj) for obj in objs)
        return [str(obj) for obj in objs], counts, {str(self.opts.verbose_name)} if denied else set(), []

    @admin.display(description="project", ordering="workspace__project__name")
    def project(self, keystore: Keystore) -> str:
        """Whose it is, and which copy when there are several."""
        return keystore.workspace.label

    @display(description="kind", label={Kind.JSON: GOOD, Kind.RAW: NEUTRAL}, ordering="kind")
    def kind_pill(self, keystore: Keystore) -> tuple[str, str]:
        """As a pill."""
        return keystore.kind, keystore.get_kind_display()

    @admin.display(description="keys")
    def keys(self, keystore: Keystore) -> SafeString:
        """The way to them; counting those of every line would take long."""
        path = reverse("admin:keystores_keystoreitem_changelist")
        return format_html('<a href="{}?keystore__id__exact={}">Browse</a>', path, keystore.pk)

    @admin.display(description="structure")
    def structure_text(self, keystore: Keystore) -> SafeString:
        """As people read it."""
        return format_html('<pre class="flowize-code">{}</pre>', readable(keystore.kind, keystore.structure))

    @admin.display(description="changed", ordering="date_modified")
    def modified(self, keystore: Keystore) -> str:
        """In the workspace's zone."""
        return moment(keystore.date_modified, keystore.workspace.zone)
