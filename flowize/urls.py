"""Every path of the installation."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from apps.applications.api import urls as applications
from apps.core.http.health import healthz
from apps.flows.api import urls as flows
from apps.records.api import urls as records
from apps.records.api.readiness import readyz
from apps.schemas.api import urls as schemas
from flowize.demo.views import echo

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("v1/", include(applications.v1 + schemas.v1 + flows.v1 + records.v1)),
    path("", include((applications.urlpatterns, applications.app_name))),
    path("healthz", healthz),
    path("readyz", readyz),
    path("demo/echo/<str:token>", echo),
]

handler400 = "apps.core.http.error_pages.bad_request"
handler403 = "apps.core.http.error_pages.permission_denied"
handler404 = "apps.core.http.error_pages.not_found"
handler500 = "apps.core.http.error_pages.server_error"
