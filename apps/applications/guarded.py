"""Addresses that take requests of whoever knows them: guarded by where they come from and how many there are."""

from django.db import models

from apps.applications.models import default_rate_limit, validate_addresses

EVERYBODY = "0.0.0.0/0\n::/0"


class Guarded(models.Model):
    """A row that an address without credentials leads to."""

    addresses = models.TextField(
        "allowed addresses",
        blank=True,
        default=EVERYBODY,
        validators=[validate_addresses],
        help_text=(
            "Who may send: IPv4 and IPv6 addresses or networks (10.0.0.0/8), one a line. 0.0.0.0/0 and ::/0 are "
            "everybody; empty refuses everybody."
        ),
    )
    rate_limit = models.PositiveIntegerField(
        default=default_rate_limit, help_text="Requests an hour; 0 means unlimited."
    )

    class Meta:
        abstract = True
