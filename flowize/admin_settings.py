"""Settings of the admin that no variable changes: what its history keeps, and how it looks."""

from django.templatetags.static import static

AUDITLOG_INCLUDE_TRACKING_MODELS = (
    {"model": "accounts.Organization", "exclude_fields": ["api_key_hash"]},
    "accounts.Membership",
    {"model": "accounts.Project", "exclude_fields": ["api_key_hash", "api_key_last_used_at"]},
    {"model": "applications.Application", "exclude_fields": ["client_secret", "last_used_at"]},
    "schemas.Schema",
    "keystores.Keystore",
    "contents.Website",
    "contents.HostedPage",
    "contents.Template",
    "contents.StaticData",
    "contents.StoredFile",
    "tables.Table",
    {"model": "tables.Column", "exclude_fields": ["index_state", "index_error", "index_claimed_at"]},
    "flows.Flow",
    "flows.FlowVersion",
    "flows.Connection",
    {"model": "webhooks.Webhook", "exclude_fields": ["uri_hash"]},
    {"model": "triggers.UrlTrigger", "exclude_fields": ["secret_hash"]},
    {
        "model": "triggers.Schedule",
        "exclude_fields": ["next_run", "planned_zone", "last_run", "last_uuid", "last_error"],
    },
)

UNFOLD = {
    "SITE_TITLE": "Flowize",
    "SITE_HEADER": "Flowize",
    "SITE_SUBHEADER": "Data in, flows on",
    "SITE_SYMBOL": "account_tree",
    "SITE_URL": None,
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "8px",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("flowize/favicon.svg")},
    ],
    "STYLES": [lambda request: static("flowize/admin.css")],
    "DASHBOARD_CALLBACK": "apps.records.admin.dashboard.overview",
    "SIDEBAR": {"navigation": "apps.core.admin.navigation.sidebar"},
    "COLORS": {
        "primary": {
            "50": "oklch(97% .014 254.604)",
            "100": "oklch(93.2% .032 255.585)",
            "200": "oklch(88.2% .059 254.128)",
            "300": "oklch(80.9% .105 251.813)",
            "400": "oklch(70.7% .165 254.624)",
            "500": "oklch(62.3% .214 259.815)",
            "600": "oklch(54.6% .245 262.881)",
            "700": "oklch(48.8% .243 264.376)",
            "800": "oklch(42.4% .199 265.638)",
            "900": "oklch(37.9% .146 265.522)",
            "950": "oklch(28.2% .091 267.935)",
        },
    },
}
