"""The versions of a project: a new number for each definition that differs from the last."""

from django.db import transaction

from apps.accounts.models import Project
from apps.environments.definitions.document import fingerprint, read_definition
from apps.environments.models import ProjectVersion


def note_version(project: Project) -> ProjectVersion:
    """The version that the project's Designer copy is now; noted when it differs from the newest."""
    with transaction.atomic():
        Project.objects.select_for_update(no_key=True).get(pk=project.pk)
        definition = read_definition(project.workspaces.get(api_host="").pk)
        mark = fingerprint(definition)
        newest = project.versions.first()
        if newest is not None and newest.fingerprint == mark:
            return newest
        number = newest.number + 1 if newest else 1
        return ProjectVersion.objects.create(project=project, number=number, fingerprint=mark, definition=definition)
