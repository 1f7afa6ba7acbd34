"""Settings of one installation, each read from the environment; docs/settings.md lists them all.

A variable may also be given as a file: ``SECRET_KEY_FILE=/run/secrets/key`` is read for ``SECRET_KEY``.
"""

import ipaddress
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from flowize import postgres
from flowize.admin_settings import AUDITLOG_INCLUDE_TRACKING_MODELS as AUDITLOG_INCLUDE_TRACKING_MODELS
from flowize.admin_settings import UNFOLD as UNFOLD
from flowize.beat_schedule import CELERY_BEAT_SCHEDULE as CELERY_BEAT_SCHEDULE
from flowize.secret_key import key_of
from flowize.variables import LoudEnv

BASE_DIR = Path(__file__).resolve().parent.parent
env = LoudEnv()

# --- Installation -----------------------------------------------------------------------------------------------

FLOWIZE_HOME = Path(env.str("FLOWIZE_HOME", default=str(BASE_DIR / ".flowize"))).absolute()
PORT = env.int("PORT", default=8000)
PUBLIC_URL = env.str("PUBLIC_URL", default=f"http://127.0.0.1:{PORT}").rstrip("/")
DEBUG = env.bool("DEBUG", default=False)
VERSION = tomllib.loads((BASE_DIR / "pyproject.toml").read_text())["project"]["version"]
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]", ".localhost"])
ALLOWED_HOSTS += [urlsplit(PUBLIC_URL).hostname or "localhost"]
SECRET_KEY = env.str("SECRET_KEY", default="") or key_of(FLOWIZE_HOME)
ENCRYPTION_KEYS = env.list("ENCRYPTION_KEYS", default=[])

# --- Applications -----------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "apps.core",
    "apps.accounts",
    "apps.applications",
    "apps.schemas",
    "apps.keystores",
    "apps.tables",
    "apps.contents",
    "apps.flows",
    "apps.webhooks",
    "apps.records",
    "apps.triggers",
    "apps.environments",
    "apps.soap",
    "flowize",
    "flowize.demo",
    "unfold.apps.BasicAppConfig",
    "apps.core.admin.config.FlowizeAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "oauth2_provider",
    "django_filters",
    "auditlog",
    "axes",
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "flowize.urls"
WSGI_APPLICATION = "flowize.wsgi.application"

MIDDLEWARE = [
    "apps.core.http.middleware.request_context",
    "django.middleware.security.SecurityMiddleware",
    "apps.core.http.middleware.security_policy",
    "apps.environments.api.hosts.environment_hosts",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "apps.core.http.middleware.api_errors",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "apps.core.http.audit.AuditMiddleware",
    "axes.middleware.AxesMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# --- Database ---------------------------------------------------------------------------------------------------

EMBEDDED = not env.str("DATABASE_URL", default="")
DATABASE_URL = postgres.url(FLOWIZE_HOME) if EMBEDDED else env.str("DATABASE_URL")
# Each thread keeps its connection: a pool would make callers wait while the database is away, where a thread's own
# attempt fails at once and succeeds as soon as the database is back.
DATABASES = {"default": {**env.db_url_config(DATABASE_URL), "CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True}}
DATABASES["default"].setdefault("OPTIONS", {})
DATABASES["default"]["OPTIONS"] |= {
    "server_side_binding": True,
    "prepare_threshold": env.int("DATABASE_PREPARE_THRESHOLD", default=1),
    "connect_timeout": 5,
    # A database host that vanished without a word is noticed in seconds.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": 10_000,
    "application_name": "flowize",
}
if DATABASES["default"]["OPTIONS"]["prepare_threshold"] < 0:  # a transaction pooler in between
    DATABASES["default"]["OPTIONS"]["prepare_threshold"] = None

# --- Broker and workers -----------------------------------------------------------------------------------------

BROKER_URL = env.str("BROKER_URL", default="")
if BROKER_URL.startswith("pgmq"):
    raise ImproperlyConfigured("Leave BROKER_URL empty to keep the messages in the database of DATABASE_URL.")
CELERY_BROKER_URL = BROKER_URL or "pgmq://localhost"
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, object] = {}
if not BROKER_URL:
    CELERY_BROKER_TRANSPORT = "flowize.broker:EmbeddedTransport"
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "conn_string": postgres.conninfo(DATABASE_URL),
        "init_extension": False,
        "use_notify": True,
        "notify_throttle_interval_ms": 0,
        "wait_time_seconds": 0,
        "pool_size": 3,
        "pool_timeout": 2,  # else half a minute is spent on a database that is away
        "visibility_timeout": 60,
    }
elif BROKER_URL.startswith(("redis", "rediss")):
    CELERY_BROKER_TRANSPORT = "flowize.broker:RedisTransport"
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "socket_timeout": 5,
        "socket_connect_timeout": 0.5,
        "retry_on_timeout": False,
    }
CELERY_BROKER_CONNECTION_TIMEOUT = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
# Queue names of the embedded broker are short; control queues carry the host's name and would not fit.
CELERY_WORKER_ENABLE_REMOTE_CONTROL = bool(BROKER_URL)
CELERY_TASK_DEFAULT_QUEUE = "flowize"
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_POOL = "flowize.worker_pool:TaskPool"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = env.float("WORKER_SHUTDOWN_SECONDS", default=20.0)
CELERY_TASK_TIME_LIMIT = 120

# --- Flow execution ---------------------------------------------------------------------------------------------

LEASE_SECONDS = env.int("LEASE_SECONDS", default=30)
CLAIM_BATCH = env.int("CLAIM_BATCH", default=50)
EXTERNAL_CALLS = env.int("EXTERNAL_CALLS", default=64)
EXTERNAL_CALLS_PER_FLOW = env.int("EXTERNAL_CALLS_PER_FLOW", default=24)
STATEMENT_SECONDS = env.float("STATEMENT_SECONDS", default=30.0)
LOCK_SECONDS = env.float("LOCK_SECONDS", default=10.0)
EGRESS_ALLOW = [
    ipaddress.ip_network(value)
    for value in env.list("EGRESS_ALLOW", default=["127.0.0.0/8", "::1/128"] if EMBEDDED else [])
]
EGRESS_MAX_BYTES = env.int("EGRESS_MAX_BYTES", default=5 * 1024 * 1024)

# --- Webhooks ---------------------------------------------------------------------------------------------------

WEBHOOK_EVENT_DAYS = env.int("WEBHOOK_EVENT_DAYS", default=0)

# --- Triggers ---------------------------------------------------------------------------------------------------

SYNC_WAITING = env.int("SYNC_WAITING", default=8)
BATCH_BYTES = env.int("BATCH_BYTES", default=50 * 1024 * 1024)
BATCH_ITEMS = env.int("BATCH_ITEMS", default=1_000_000)
BATCH_FAULTS = env.int("BATCH_FAULTS", default=10_000)

# --- Contents ---------------------------------------------------------------------------------------------------

CONTENT_BYTES = env.int("CONTENT_BYTES", default=1024**3)
CONTENT_FILES = env.int("CONTENT_FILES", default=20_000)
CONTENT_FILE_BYTES = env.int("CONTENT_FILE_BYTES", default=25 * 1024 * 1024)
CONTENT_UPLOAD_BYTES = env.int("CONTENT_UPLOAD_BYTES", default=100 * 1024 * 1024)

# --- Environments -----------------------------------------------------------------------------------------------

ENVIRONMENT_DOMAIN = env.str("ENVIRONMENT_DOMAIN", default="localhost").lower().strip(".")
ENVIRONMENT_ADDRESS = env.str("ENVIRONMENT_ADDRESS", default="127.0.0.1")
ENVIRONMENT_DRIVER = env.str("ENVIRONMENT_DRIVER", default="local")
ENVIRONMENT_LEASE_SECONDS = env.int("ENVIRONMENT_LEASE_SECONDS", default=60)
ALLOWED_HOSTS += [f".{ENVIRONMENT_DOMAIN}"]
DIGITALOCEAN_TOKEN = env.str("DIGITALOCEAN_TOKEN", default="")
DIGITALOCEAN_DATABASE_URL = env.str("DIGITALOCEAN_DATABASE_URL", default="")
DIGITALOCEAN_SOURCE = env.str("DIGITALOCEAN_SOURCE", default="")
DIGITALOCEAN_PREFIX = env.str("DIGITALOCEAN_PREFIX", default="flowize")
DIGITALOCEAN_URL = env.str("DIGITALOCEAN_URL", default="https://api.digitalocean.com/v2").rstrip("/")
if ENVIRONMENT_DRIVER not in ("local", "digitalocean"):
    raise ImproperlyConfigured("ENVIRONMENT_DRIVER must be local or digitalocean.")
if ENVIRONMENT_DRIVER == "digitalocean" and not (
    DIGITALOCEAN_TOKEN and DIGITALOCEAN_DATABASE_URL and DIGITALOCEAN_SOURCE
):
    raise ImproperlyConfigured(
        "The driver digitalocean needs DIGITALOCEAN_TOKEN, DIGITALOCEAN_DATABASE_URL and DIGITALOCEAN_SOURCE."
    )

# --- SOAP -------------------------------------------------------------------------------------------------------

SOAP_WEBHOOK_SUCCESS = env.str("SOAP_WEBHOOK_SUCCESS", default="response")
if SOAP_WEBHOOK_SUCCESS not in ("response", "fault"):
    raise ImproperlyConfigured("SOAP_WEBHOOK_SUCCESS must be response or fault.")

# --- Searches and tables ------------------------------------------------------------------------------------------

SEARCH_COUNT = env.int("SEARCH_COUNT", default=10_000)
SEARCH_SECONDS = env.float("SEARCH_SECONDS", default=5.0)
KEYSTORE_SEARCH_ROWS = env.int("KEYSTORE_SEARCH_ROWS", default=10_000)
KEYSTORE_SEARCH_BYTES = env.int("KEYSTORE_SEARCH_BYTES", default=5 * 1024 * 1024)
KEYSTORE_SEARCH_SECONDS = env.float("KEYSTORE_SEARCH_SECONDS", default=5.0)
TABLE_SEARCH_SECONDS = env.float("TABLE_SEARCH_SECONDS", default=5.0)
TABLE_IMPORT_BYTES = env.int("TABLE_IMPORT_BYTES", default=50 * 1024 * 1024)

# --- HTTP -------------------------------------------------------------------------------------------------------

BODY_LIMIT = env.int("BODY_LIMIT", default=10 * 1024 * 1024)
DATA_UPLOAD_MAX_MEMORY_SIZE = BODY_LIMIT
QUERY_LIMIT = env.int("QUERY_LIMIT", default=8 * 1024)
JSON_DEPTH = env.int("JSON_DEPTH", default=100)
RECORDS_PER_CALL = env.int("RECORDS_PER_CALL", default=1000)
REQUIRE_HTTPS = env.bool("REQUIRE_HTTPS", default=False)
if REQUIRE_HTTPS and not env.str("SECRET_KEY", default=""):
    raise ImproperlyConfigured("SECRET_KEY must be set where REQUIRE_HTTPS is on: sessions of several hosts share it.")
TRUSTED_PROXIES = [ipaddress.ip_network(value) for value in env.list("TRUSTED_PROXIES", default=[])]
METRICS_ALLOW = [ipaddress.ip_network(value) for value in env.list("METRICS_ALLOW", default=["127.0.0.0/8", "::1/128"])]
TRUST_UNIX_SOCKET = env.bool("TRUST_UNIX_SOCKET", default=False)
RATE_LIMIT = env.int("RATE_LIMIT", default=1000)
RATE_WINDOW_SECONDS = env.int("RATE_WINDOW_SECONDS", default=3600)
LOGIN_RATE_LIMIT = env.int("LOGIN_RATE_LIMIT", default=600)
CREDENTIAL_CACHE_SECONDS = env.float("CREDENTIAL_CACHE_SECONDS", default=1.0)
IDEMPOTENCY_SECONDS = env.int("IDEMPOTENCY_SECONDS", default=86_400)
TOKEN_SECONDS = env.int("TOKEN_SECONDS", default=10 * 24 * 3600)

# Paths that answer in an envelope of their own, with who writes its refusals at the edge.
REFUSAL_WRITERS = {"/v1/soap": "apps.soap.faults.write_refusal"}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": [
        f"apps.core.http.renderers.{name}" for name in ("JSONRenderer", "XMLRenderer", "TextXMLRenderer")
    ],
    "DEFAULT_PARSER_CLASSES": [
        f"apps.core.http.parsers.{name}" for name in ("JSONParser", "XMLParser", "TextXMLParser")
    ],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "apps.core.http.negotiation.Negotiation",
    "EXCEPTION_HANDLER": "apps.core.http.exception_handler.handle",
    "DEFAULT_SCHEMA_CLASS": "apps.applications.api.openapi.CallerSchema",
    "UNAUTHENTICATED_USER": None,
    "UNAUTHENTICATED_TOKEN": None,
}

SPECTACULAR_SETTINGS = {
    "DEFAULT_GENERATOR_CLASS": "flowize.reference.document.DocumentGenerator",
    "OAS_VERSION": "3.1.1",
    "TITLE": "Flowize",
    "VERSION": "v1",
    "DESCRIPTION": "Documents in, checked against a schema, and on through flows.",
    "LICENSE": {"name": "MIT", "identifier": "MIT"},
    "SORT_OPERATIONS": False,
    "POSTPROCESSING_HOOKS": [],
    "ENABLE_DJANGO_DEPLOY_CHECK": False,  # tests hold the document to more than that check does
}

# --- Sign-in and OAuth 2 ----------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "apps.applications.hashers.RandomSecretHasher",
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
AXES_FAILURE_LIMIT = env.int("LOGIN_FAILURE_LIMIT", default=10)
AXES_COOLOFF_TIME = env.float("LOGIN_LOCKOUT_HOURS", default=0.25)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_CLIENT_IP_CALLABLE = "apps.core.http.client.address_of"
AXES_LOCKOUT_TEMPLATE = "locked.html"
AXES_VERBOSE = False

OAUTH2_PROVIDER_APPLICATION_MODEL = "applications.Application"
OAUTH2_PROVIDER = {
    "ACCESS_TOKEN_EXPIRE_SECONDS": TOKEN_SECONDS,
    "ACCESS_TOKEN_GENERATOR": "apps.applications.oauth.new_token",
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https"],
    "CLIENT_ID_GENERATOR_CLASS": "apps.applications.oauth.ClientIdGenerator",
    "CLIENT_SECRET_HASHER": "random-secret-sha256",
    "DEFAULT_SCOPES": ["__all__"],
    "OAUTH2_GRANT_TYPES_SUPPORTED": ["client_credentials"],
    "OAUTH2_RESPONSE_TYPES_SUPPORTED": [],
    "OAUTH2_VALIDATOR_CLASS": "apps.applications.oauth.Validator",
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "SCOPES_BACKEND_CLASS": "apps.applications.oauth.ApplicationScopes",
    "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
    "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
    "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
    "COMPLIANT_BCP_RFC9700_PKCE_REQUIRED": True,
    "COMPLIANT_BCP_RFC9700_REDIRECT_URI_MATCHING": True,
    "COMPLIANT_BCP_RFC9700_REDIRECT_URI_SCHEME": True,
    "COMPLIANT_BCP_RFC9700_REFRESH_TOKEN": True,
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
}

# --- Security ---------------------------------------------------------------------------------------------------

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = REQUIRE_HTTPS
SESSION_COOKIE_AGE = env.int("SESSION_SECONDS", default=12 * 3600)
# The API refuses plain http by itself (a redirect would leak the keys first); this is for people's browsers.
SECURE_SSL_REDIRECT = REQUIRE_HTTPS
SECURE_REDIRECT_EXEMPT = [r"^v1(/|$)", r"^o/", r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=31_536_000 if REQUIRE_HTTPS else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = REQUIRE_HTTPS
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

# --- Language, time, static files, mail -------------------------------------------------------------------------

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False
DEFAULT_TIME_ZONE = env.str("DEFAULT_TIME_ZONE", default="Europe/Amsterdam")
EMAIL_URL = env.str("EMAIL_URL", default="")
DEFAULT_FROM_EMAIL = env.str("EMAIL_FROM", default="flowize@localhost")


def _mail(url: str) -> dict[str, Any]:
    """How mail leaves: by the URL, without one into a folder of a first try, else not at all."""
    if url:
        # The library takes smtps for STARTTLS; everybody else means TLS from the first byte.
        found: dict[str, Any] = environ.Env.email_url_config(url.replace("smtps://", "smtp+ssl://", 1))
        if found["EMAIL_BACKEND"] == "django.core.mail.backends.smtp.EmailBackend":
            return found | {"EMAIL_BACKEND": "apps.core.mail.Backend"}
        return found | {"EMAIL_FILE_PATH": f"/{found['EMAIL_FILE_PATH']}"}
    if EMBEDDED:
        folder = {"EMAIL_FILE_PATH": str(FLOWIZE_HOME / "mail")}
        return folder | {"EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend"}
    return {"EMAIL_BACKEND": "apps.core.mail.NoMail"}


_MAIL = _mail(EMAIL_URL)
EMAIL_BACKEND = _MAIL["EMAIL_BACKEND"]
EMAIL_FILE_PATH = _MAIL.get("EMAIL_FILE_PATH")
EMAIL_HOST, EMAIL_PORT = _MAIL.get("EMAIL_HOST") or "localhost", _MAIL.get("EMAIL_PORT") or 0
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _MAIL.get("EMAIL_HOST_USER") or "", _MAIL.get("EMAIL_HOST_PASSWORD") or ""
EMAIL_USE_TLS, EMAIL_USE_SSL = _MAIL.get("EMAIL_USE_TLS", False), _MAIL.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 15
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "flowize" / "static"]
COLLECTED_STATIC = env.bool("COLLECTED_STATIC", default=False)
STATIC_ROOT = env.str("STATIC_ROOT", default=str(FLOWIZE_HOME / "static")) if COLLECTED_STATIC else None
WHITENOISE_USE_FINDERS = not COLLECTED_STATIC
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if COLLECTED_STATIC
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

# --- Logs -------------------------------------------------------------------------------------------------------

LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOG_FORMAT = env.str("LOG_FORMAT", default="json")
LOGGING_CONFIG = "apps.core.logs.configure"
LOGGING = {"level": LOG_LEVEL, "format": LOG_FORMAT}
