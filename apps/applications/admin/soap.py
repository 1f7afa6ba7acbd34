"""What somebody who integrates an application by SOAP needs of its page: addresses, and a request that works."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.template.loader import render_to_string

from apps.applications.admin.naming import flows_of_projects, names_of
from apps.applications.models import Application
from apps.core.admin.shown_once import Shown

DOCUMENT = "{}"


@dataclass(frozen=True, slots=True)
class SoapAccess:
    """Where the service is described, and an envelope in a line for the shell; keys that nobody can see are named."""

    application: Application
    addresses: Sequence[Shown]
    request: str

    @classmethod
    def of(cls, application: Application) -> "SoapAccess":
        """That of an application; its default flow, else the first of its project, takes the record."""
        address = f"{settings.PUBLIC_URL}/v1/soap"
        flows = [application.default_flow, *names_of(flows_of_projects, application.project_id)]
        context = {
            "application": application,
            "address": address,
            "document": DOCUMENT,
            "data": base64.b64encode(DOCUMENT.encode()).decode(),
            "flow": next(filter(None, flows), "YOUR_FLOW"),
        }
        addresses = (
            Shown("WSDL", f"{address}?wsdl", secret=False),
            Shown("WSDL for clients of rpc/literal, such as JAX-WS", f"{address}?wsdl=literal", secret=False),
        )
        return cls(application, addresses, render_to_string("soap/request.txt", context).strip())
