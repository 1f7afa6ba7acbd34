"""Where a request carries the sender's id of a delivery."""

import re

from django.http.request import HttpRequest

from apps.core.errors import BadRequest
from apps.core.http.parameters import one_of
from apps.triggers.services import Delivery

DELIVERY_ID = re.compile(r"[\x21-\x7e]{1,255}")


def delivery_in(request: HttpRequest) -> Delivery | None:
    """The sender's id of the delivery; a ``webhook-id`` repeats whatever the payload, senders word it anew."""
    for header in ("Webhook-Id", "Idempotency-Key"):
        if text := one_of(request, headers=(header,)):
            if not DELIVERY_ID.fullmatch(text):
                raise BadRequest(f"{header} must be 1 to 255 visible ASCII characters.")
            return Delivery(f"{header.lower()}:{text}", exact=header == "Idempotency-Key")
    return None
