"""How files look on the admin's pages."""

from django.template.defaultfilters import filesizeformat


def size(number: int) -> str:
    """Bytes as people read them."""
    return filesizeformat(number).replace("\xa0", " ")
