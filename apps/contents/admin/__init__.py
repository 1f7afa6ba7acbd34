"""The pages of websites, hosted pages, files, templates and static data."""

from apps.contents.admin.pages import HostedPageAdmin
from apps.contents.admin.static_data import StaticDataAdmin
from apps.contents.admin.stored_files import StoredFileAdmin
from apps.contents.admin.website_files import WebsiteFileAdmin
from apps.contents.admin.websites import WebsiteAdmin

__all__ = ["HostedPageAdmin", "StaticDataAdmin", "StoredFileAdmin", "WebsiteAdmin", "WebsiteFileAdmin"]
