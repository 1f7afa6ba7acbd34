"""Forms of hosted pages: whoever sees the page may send one, and it becomes a record of the page's flow."""

from collections.abc import Sequence

from apps.applications.caller import MAY_INSERT, Caller
from apps.applications.ratelimit import count_form
from apps.contents.models import HostedPage
from apps.core import addresses
from apps.core.errors import AddressNotAllowed, MethodNotAllowed
from apps.environments.form_fields import read_fields
from apps.records.services import create_records


def admit(page: HostedPage, address: str) -> None:
    """Let a form come in before it is read.

    Raises ``MethodNotAllowed`` for a page without a flow, ``AddressNotAllowed``, and ``TooManyRequests`` when the page
    has had its forms of this hour.
    """
    if not page.flow:
        raise MethodNotAllowed(headers={"Allow": "GET, HEAD"})
    if not addresses.allows(addresses.parse_allowlist(page.addresses), address):
        raise AddressNotAllowed
    count_form(page.pk, page.rate_limit).require()


def submit(page: HostedPage, fields: Sequence[tuple[str, str]], *, address: str) -> str | None:
    """Make a record of a form; returns its uuid, or nothing when it went into the page's trap.

    Needs ``page.workspace.project`` at hand. Raises ``BadRequest`` for fields that cannot be read or a document that
    does not fit the schema, and whatever keeps the flow from taking it; then nothing is stored.
    """
    if page.trap and any(name == page.trap and text for name, text in fields):
        return None
    document = read_fields((name, text) for name, text in fields if name != page.trap)
    sender = Caller.in_workspace(page.workspace, MAY_INSERT, address)
    (record,) = create_records(sender, [document], flow_name=page.flow)
    return record.uuid
