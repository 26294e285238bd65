"""How long is waited for what."""

from __future__ import annotations

from datetime import timedelta

LATEST_START = timedelta(seconds=20)
"""A check that no worker has begun by then is too late, whatever its interval."""
SUSPICION_PERCENT = 15
"""Of its timeout: a probe that takes longer has others asked at once, so that a target that hangs is
confirmed within about one timeout and not two."""
TRANSPORT = timedelta(seconds=2)
"""What the messages there and back may take, on top of the probe's timeout."""
VOTE_TRANSPORT = timedelta(seconds=5)
"""The same of a vote. Where two regions answer nobody waits for it; but a machine that stands still for two
seconds made a round on a target that hangs end without votes, and a timeout and more is lost by that."""
