"""The wire format of /uptime-checks: monitors that a customer's own servers look at."""
