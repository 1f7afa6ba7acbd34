"""Paths of the token calls."""

from django.urls import path, re_path
from oauth2_provider.views import OAuthServerMetadataView

from apps.applications.api.directory import DirectoryViewSet
from apps.applications.api.oauth_views import GuardedRevokeTokenView, GuardedTokenView, IntrospectView
from apps.applications.api.views import TokenViewSet

v1 = [
    re_path(r"^options/?$", DirectoryViewSet.as_view({"get": "list"})),
    re_path(r"^checkauthentication/?$", TokenViewSet.as_view({"get": "check", "post": "check"})),
    re_path(r"^refreshtoken/?$", TokenViewSet.as_view({"get": "refresh", "post": "refresh"})),
]

# The library's names and namespace: its metadata view builds the addresses from them.
app_name = "oauth2_provider"
urlpatterns = [
    path(".well-known/oauth-authorization-server", OAuthServerMetadataView.as_view(), name="oauth-server-metadata"),
    path("o/token/", GuardedTokenView.as_view(), name="token"),
    path("o/revoke_token/", GuardedRevokeTokenView.as_view(), name="revoke-token"),
    path("o/introspect/", IntrospectView.as_view(), name="introspect"),
]
