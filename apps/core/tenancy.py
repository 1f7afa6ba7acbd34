"""Rows of the data plane belong to one workspace; reads start from it."""

from typing import Self

from django.db import models


class WorkspaceQuerySet(models.QuerySet):
    """A queryset that begins with the tenant."""

    def in_workspace(self, workspace_id: int) -> Self:
        """Only rows of that workspace: a foreign row is as absent as an unknown one."""
        return self.filter(workspace_id=workspace_id)
