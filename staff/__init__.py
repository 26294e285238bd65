"""Who runs it: the operator's admin, on top of all that it shows."""
