"""Paths of what describes the API."""

from django.urls import re_path

from flowize.reference import pages
from flowize.reference.views import ReferenceViewSet

v1 = [
    re_path(r"^openapi\.json/?$", ReferenceViewSet.as_view({"get": "openapi"}), name="openapi"),
    re_path(r"^postman\.json/?$", ReferenceViewSet.as_view({"get": "postman"}), name="postman"),
]
v1_pages = [
    re_path(r"^docs/?$", pages.calls, name="reference"),
    re_path(r"^docs/errors/?$", pages.errors, name="reference-errors"),
    re_path(r"^docs/scopes/?$", pages.scopes, name="reference-scopes"),
]
