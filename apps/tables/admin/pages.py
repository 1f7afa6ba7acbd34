"""What all pages of one table have in common."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from apps.accounts.models import Role
from apps.applications.caller import Caller
from apps.applications.members import member_caller
from apps.core.admin.access import access_of
from apps.core.admin.tenancy import TenantModelAdmin
from apps.core.http.client import address_of
from apps.tables.models import Table


class TablePages(TenantModelAdmin):
    """The ground of the pages of a table: who asks, which table, and where its other pages are."""

    def caller(self, request: HttpRequest, table: Table) -> Caller:
        """The person as services know callers."""
        project = table.workspace.project
        return member_caller(
            table.workspace, Role(access_of(request).role(project.organization_id)), address_of(request)
        )

    def table_page(self, request: HttpRequest, table: Table, title: str) -> dict[str, Any]:
        """What the templates of these pages need."""
        return {
            **self.page_context(request, table, title),
            "table": table,
            "may_change": self.may("change", request, table),
            "links": {name: self.link(name, table) for name in ("rows", "row_add", "import", "export", "change")},
        }

    @staticmethod
    def link(name: str, table: Table, *parts: Any) -> str:
        """The address of a page of the table."""
        return reverse(f"admin:tables_table_{name}", args=[table.pk, *parts])
