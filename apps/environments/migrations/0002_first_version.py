from datetime import datetime, timezone

from django.db import migrations

FIRST = {
    "version": "v.0.1.0",
    "date_created": datetime(2026, 11, 28, tzinfo=timezone.utc),
    "blocking_update": True,
    "changelog": "",
}


def add_first(apps, schema_editor):
    apps.get_model("environments", "PlatformVersion").objects.get_or_create(version=FIRST["version"], defaults=FIRST)


class Migration(migrations.Migration):
    """The release that the platform begins with; each later one adds its row."""

    dependencies = [("environments", "0001_initial")]

    operations = [migrations.RunPython(add_first, migrations.RunPython.noop)]
