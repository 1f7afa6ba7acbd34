"""The WSGI entry point."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from apps.core.http.wsgi_body import ReadChunkedBody

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "flowize.settings")

application = ReadChunkedBody(get_wsgi_application(), limit=settings.BODY_LIMIT)
