"""Keys are written over and over: room on their pages, and a vacuum that keeps up."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("keystores", "0001_initial")]

    operations = [
        migrations.RunSQL(
            """
            ALTER TABLE keystores_keystoreitem SET (
                fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
            """,
            """
            ALTER TABLE keystores_keystoreitem RESET (
                fillfactor, autovacuum_vacuum_scale_factor, autovacuum_analyze_scale_factor);
            """,
        )
    ]
