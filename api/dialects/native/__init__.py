"""The native wire format of /api/v1: its field names, its shapes and its bounds, one module a resource."""
