"""What is read together lies together: a month of a monitor is 2,160 rows in some 20 pages, not in 720.

The key of the hourly rows holds all of their columns, so that the index alone answers. Few checks fail, so
that an index of these alone costs next to nothing, and nothing at all for those that are up.
"""

from django.db import migrations

KEY = "PRIMARY KEY (monitor_id, hour, region)"
DROP_KEY = "ALTER TABLE monitors_regionhour DROP CONSTRAINT monitors_regionhour_pkey;"
COVERING = f"""
{DROP_KEY}
ALTER TABLE monitors_regionhour ADD {KEY} INCLUDE (checks, failures, missed, errors, p50_ms, p95_ms, max_ms);
"""
PLAIN = f"{DROP_KEY} ALTER TABLE monitors_regionhour ADD {KEY};"
NOT_UP = """
CREATE INDEX evidence_not_up ON monitors_evidence (monitor_id, scheduled_at) WHERE outcome <> 'up';
"""


class Migration(migrations.Migration):
    dependencies = [("monitors", "0009_rollups")]

    operations = [
        migrations.RunSQL(COVERING, PLAIN),
        migrations.RunSQL(NOT_UP, "DROP INDEX evidence_not_up;"),
    ]
