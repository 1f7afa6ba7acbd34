"""Records are updated at every checkpoint: room on their pages, and a vacuum that keeps up."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("records", "0001_initial")]

    operations = [
        migrations.RunSQL(
            """
            ALTER TABLE records_record SET (
                fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
            ALTER TABLE records_workerpulse SET (fillfactor = 50);
            """,
            """
            ALTER TABLE records_record RESET (
                fillfactor, autovacuum_vacuum_scale_factor, autovacuum_analyze_scale_factor);
            ALTER TABLE records_workerpulse RESET (fillfactor);
            """,
        )
    ]
