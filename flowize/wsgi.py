"""The WSGI entry point."""

import os

import django
from django.conf import settings

from apps.core.http.wsgi_body import ReadChunkedBody
from apps.core.http.wsgi_request import Utf8Handler
from apps.core.patience import bound_locks

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "flowize.settings")

django.setup(set_prefix=False)
bound_locks()
application = ReadChunkedBody(Utf8Handler(), limit=settings.BODY_LIMIT)
