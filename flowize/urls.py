"""Every path of the installation."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from apps.applications.api import urls as applications
from apps.contents.api import urls as contents
from apps.core.http.health import healthz
from apps.environments.api import page_urls as pages
from apps.environments.api import urls as environments
from apps.flows.api import urls as flows
from apps.keystores.api import urls as keystores
from apps.records.api import urls as records
from apps.records.api.metrics import show_metrics
from apps.records.api.readiness import readyz
from apps.schemas.api import urls as schemas
from apps.soap import urls as soap
from apps.tables.api import urls as tables
from apps.triggers.api import urls as triggers
from flowize.demo.views import echo
from flowize.reference import urls as reference

v1 = applications.v1 + schemas.v1 + keystores.v1 + tables.v1 + flows.v1 + records.v1 + triggers.v1 + environments.v1
v1 += reference.v1

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("v1/", include(v1)),
    path("v1/", include(reference.v1_pages)),
    path("v1/", include(soap)),
    path("", include((applications.urlpatterns, applications.app_name))),
    path("", include(contents.urlpatterns)),
    path("", include(pages.urlpatterns)),
    path("healthz", healthz),
    path("readyz", readyz),
    path("metrics", show_metrics),
    path("demo/echo/<str:token>", echo),
]

handler400 = "apps.core.http.error_pages.bad_request"
handler403 = "apps.core.http.error_pages.permission_denied"
handler404 = "apps.core.http.error_pages.not_found"
handler500 = "apps.core.http.error_pages.server_error"
