"""The wire: one file per wire format over one set of views and services."""
