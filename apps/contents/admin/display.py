"""How files look on the admin's pages."""

from django.template.defaultfilters import filesizeformat

from apps.accounts.models import Workspace


def size(number: int) -> str:
    """Bytes as people read them."""
    return filesizeformat(number).replace("\xa0", " ")


def owner(workspace: Workspace) -> str:
    """Whose something is, and which copy when there are several."""
    return str(workspace) if workspace.api_host else str(workspace.project)
