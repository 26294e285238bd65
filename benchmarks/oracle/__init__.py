"""The same local cases to us and to those whom people trust: `make oracle`."""
