"""Admin pages of applications, and of the projects and organizations whose API keys are issued here."""

from apps.applications.admin import applications, organizations, projects

__all__ = ["applications", "organizations", "projects"]
