"""Which copy of a project's content a request reaches."""

from django.db.models import Exists, OuterRef, Q

from apps.accounts.hosts import is_environment_host
from apps.accounts.models import Workspace


def reached_on(host: str) -> Q:
    """The rows, by their ``workspace``, of the copies that ``host`` serves.

    On hosts of no environment the Designer's copy stands in for a project that the host does not serve.
    """
    here = Q(workspace__api_host=host)
    if is_environment_host(host):
        return here
    served = Workspace.objects.filter(project=OuterRef("workspace__project"), api_host=host)
    return here | Q(~Exists(served), workspace__api_host="")
