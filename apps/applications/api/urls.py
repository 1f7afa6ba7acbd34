"""Paths of the token calls."""

from django.urls import path, re_path
from oauth2_provider.views import OAuthServerMetadataView

from apps.applications.api.directory import DirectoryViewSet
from apps.applications.api.oauth_views import GuardedRevokeTokenView, GuardedTokenView, IntrospectView
from apps.applications.api.views import TokenViewSet
from apps.core.http.methods import reads_only

v1 = [
    re_path(r"^options/?$", DirectoryViewSet.as_view({"get": "list"})),
    re_path(r"^checkauthentication/?$", TokenViewSet.as_view({"get": "check", "post": "check"})),
    re_path(r"^refreshtoken/?$", TokenViewSet.as_view({"get": "refresh", "post": "refresh"})),
]

token, revoke, introspect = GuardedTokenView.as_view(), GuardedRevokeTokenView.as_view(), IntrospectView.as_view()
metadata = reads_only(OAuthServerMetadataView.as_view())

# The library's names and namespace: its metadata view builds the addresses from them. Those without a name are the same
# paths with or without their last slash: a redirect would make a GET of the client's POST.
app_name = "oauth2_provider"
urlpatterns = [
    path(".well-known/oauth-authorization-server", metadata, name="oauth-server-metadata"),
    path(".well-known/oauth-authorization-server/", metadata),
    path("o/token/", token, name="token"),
    path("o/token", token),
    path("o/revoke_token/", revoke, name="revoke-token"),
    path("o/revoke_token", revoke),
    path("o/introspect/", introspect, name="introspect"),
    path("o/introspect", introspect),
]
