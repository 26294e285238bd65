"""What a check costs from the schedule to its evidence, beside other ways to do it: `make bench`."""
