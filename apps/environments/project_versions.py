"""The versions of a project: a new number for each definition that differs from the last."""

from contextlib import suppress

from django.db import IntegrityError, transaction

from apps.accounts.models import Project
from apps.environments.definitions.document import fingerprint, read_definition
from apps.environments.models import ProjectVersion


def note_version(project: Project) -> ProjectVersion:
    """The version that the project's Designer copy is now; noted when it differs from the newest."""
    while True:
        definition = read_definition(project.workspaces.get(api_host="").pk)
        content = {"fingerprint": fingerprint(definition), "definition": definition}
        newest = project.versions.first()
        if newest is not None and newest.fingerprint == content["fingerprint"]:
            return newest
        number = newest.number + 1 if newest else 1
        # No lock on the project: calls with its key note their use there. Of two at once the second looks again.
        with suppress(IntegrityError), transaction.atomic():
            return ProjectVersion.objects.create(project=project, number=number, **content)
