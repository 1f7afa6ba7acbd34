"""Certificates of environments: what may be installed, how it is shown, when it ends. Pure functions, no database."""

from apps.environments.certificates.expiry import WARNING_DAYS, due_warning, warning_mail
from apps.environments.certificates.parsed import parsed_form
from apps.environments.certificates.reading import Certificate, read_certificate

__all__ = ["WARNING_DAYS", "Certificate", "due_warning", "parsed_form", "read_certificate", "warning_mail"]
