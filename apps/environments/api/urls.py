"""Paths of environments."""

from django.urls import re_path

from apps.environments.api.views import EnvironmentViewSet, MappingViewSet, ProjectViewSet

_ONE = r"^environment/(?P<environment_id>[^/]+)"

v1 = [
    re_path(r"^environment/?$", EnvironmentViewSet.as_view({"get": "list", "post": "create"})),
    re_path(
        rf"{_ONE}/?$",
        EnvironmentViewSet.as_view({"get": "retrieve", "post": "update_details", "delete": "destroy"}),
    ),
    re_path(rf"{_ONE}/status/?$", EnvironmentViewSet.as_view({"get": "show_status"})),
    re_path(rf"{_ONE}/upgrade/?$", EnvironmentViewSet.as_view({"post": "upgrade"})),
    re_path(rf"{_ONE}/update-version/?$", EnvironmentViewSet.as_view({"post": "update_version"})),
    re_path(rf"{_ONE}/optimize/?$", EnvironmentViewSet.as_view({"post": "optimize"})),
    re_path(rf"{_ONE}/projects/?$", ProjectViewSet.as_view({"get": "list"})),
    re_path(
        rf"{_ONE}/project/(?P<project_id>[^/]+)/?$", ProjectViewSet.as_view({"post": "deploy", "delete": "remove"})
    ),
    re_path(rf"{_ONE}/urls/?$", MappingViewSet.as_view({"get": "list", "post": "map", "delete": "unmap"})),
]
