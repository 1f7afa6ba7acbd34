"""Setting up projects."""

from typing import Any

from django.db import transaction

from apps.accounts.models import Organization, Project, Workspace


@transaction.atomic
def create_project(organization: Organization, name: str, **options: Any) -> Project:
    """A project with its Designer workspace; ``options`` are further fields of the project."""
    project = Project.objects.create(organization=organization, name=name, **options)
    Workspace.objects.create(project=project)
    return project


def set_time_zone(project: Project, time_zone: str) -> None:
    """The zone of the Designer workspace, which is made when it is missing."""
    Workspace.objects.update_or_create(project=project, api_host="", defaults={"time_zone": time_zone})
