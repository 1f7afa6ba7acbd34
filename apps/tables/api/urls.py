"""Paths of tables and their rows."""

from django.urls import re_path

from apps.tables.api.views import RowsViewSet

v1 = [
    re_path(r"^tables/(?P<table>[^/]+)/?$", RowsViewSet.as_view({"post": "create", "put": "update"})),
    re_path(r"^tables/(?P<table>[^/]+)/search/?$", RowsViewSet.as_view({"post": "search"})),
    re_path(
        r"^tables/(?P<table>[^/]+)/(?P<row>[^/]+)/?$",
        RowsViewSet.as_view({"get": "retrieve", "post": "create", "put": "update", "delete": "destroy"}),
    ),
]
