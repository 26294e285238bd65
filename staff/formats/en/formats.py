"""Instants as they are sorted and compared: with seconds, and without half-days."""

DATETIME_FORMAT = "Y-m-d H:i:s"
DATE_FORMAT = "Y-m-d"
