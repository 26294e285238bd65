"""For the processes of one run: libcurl trusts the run's certificate authority.

Python imports a module of this name at start when its folder is in PYTHONPATH. It stands for what an
operator does to the whole machine with `update-ca-certificates`, which needs root.
"""

from __future__ import annotations

import os

import pycurl

AUTHORITY = os.environ["BENCHMARK_AUTHORITY"]


class Trusting(pycurl.Curl):
    """A handle whose default is our authority, not the system's."""

    def __init__(self) -> None:
        super().__init__()
        self.setopt(pycurl.CAINFO, AUTHORITY)

    def reset(self) -> None:
        super().reset()
        self.setopt(pycurl.CAINFO, AUTHORITY)


pycurl.Curl = Trusting  # type: ignore[misc]
