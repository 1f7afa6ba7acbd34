"""The admin as an installed app."""

from django.contrib.admin.apps import AdminConfig


class FlowizeAdminConfig(AdminConfig):
    """Django's admin with our site as the default one."""

    default_site = "apps.core.admin.site.FlowizeAdminSite"
