"""Counters need no write-ahead log, and room on their pages for many updates."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("applications", "0001_initial")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE applications_ratewindow SET UNLOGGED, SET (fillfactor = 50)",
            "ALTER TABLE applications_ratewindow SET LOGGED, RESET (fillfactor)",
        )
    ]
