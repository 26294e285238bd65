"""What a probe costs, beside other ways to look at the same target: `make bench-probes`."""
