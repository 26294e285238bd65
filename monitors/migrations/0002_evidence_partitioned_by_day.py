"""The evidence table: partitioned from the start, because a table cannot become so later."""

from django.db import migrations

CREATE = """
CREATE TABLE monitors_evidence (
    monitor_id bigint NOT NULL,
    scheduled_at timestamptz NOT NULL,
    region text NOT NULL,
    round_id bigint NOT NULL,
    attempt smallint NOT NULL,
    outcome text NOT NULL,
    started_at timestamptz NOT NULL,
    total_ms real NOT NULL,
    error_class text NOT NULL,
    error text NOT NULL,
    status_code integer,
    address text NOT NULL,
    dns_ms real,
    connect_ms real,
    tls_ms real,
    ttfb_ms real,
    download_ms real,
    PRIMARY KEY (monitor_id, scheduled_at, region, round_id, attempt)
) PARTITION BY RANGE (scheduled_at);
"""

# Half of each page is left free, so that recording a check is a heap-only update of the narrow state row.
FILL = "ALTER TABLE monitors_monitorstate SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);"


class Migration(migrations.Migration):
    dependencies = [("monitors", "0001_initial")]

    operations = [
        migrations.RunSQL(CREATE, "DROP TABLE monitors_evidence;"),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
