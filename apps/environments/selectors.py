"""Reading environments, always within one organization."""

from apps.core.errors import NotFound
from apps.environments.models import Environment, EnvironmentCertificate

LARGEST_ID = 2**63 - 1


def get_environment(organization_id: int, environment_id: str | int, *, deleted: bool = False) -> Environment:
    """One environment with its version; raises ``NotFound``, also for a deleted one unless those are asked for."""
    rows = Environment.objects.of_organization(organization_id).select_related("version")
    if not deleted:
        rows = rows.existing()
    found = rows.filter(pk=row_number(environment_id)).first()
    if found is None:
        raise NotFound("There is no such environment.")
    return found


def list_environments(organization_id: int) -> list[Environment]:
    """All environments that are not deleted, oldest first."""
    rows = Environment.objects.of_organization(organization_id).existing()
    return list(rows.select_related("version", "measure").prefetch_related("deployments"))


def certificate_of(environment: Environment) -> EnvironmentCertificate | None:
    """The certificate that is, or is about to be, in force."""
    return environment.certificates.order_by("live").first()


def row_number(text: str | int) -> int:
    """The number of an id as people and callers write it; 0, which no row has, for what is none."""
    digits = str(text)
    if not (digits.isascii() and digits.isdecimal()) or len(digits) > len(str(LARGEST_ID)):
        return 0
    return min(int(digits), LARGEST_ID)
