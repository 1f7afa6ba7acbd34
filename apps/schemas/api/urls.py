"""Paths of the data schema."""

from django.urls import re_path

from apps.schemas.api.views import SchemaViewSet

v1 = [
    re_path(
        r"^schema/?$",
        SchemaViewSet.as_view({"post": "create", "get": "retrieve", "put": "update", "delete": "destroy"}),
    ),
]
