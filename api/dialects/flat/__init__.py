"""The flat wire format of /api/v1/monitors: a monitor and its state in one object."""
