"""Python's garbage collector, in processes that run for long and make few circles."""

from __future__ import annotations

import gc

YOUNG_OBJECTS = 10_000
"""So many new ones are looked through at once. By default it is 700, which a few dozen probes make."""


def spare() -> None:
    """Have it leave alone what is loaded by now, and come less often: by default a fifth of a probe is its.

    To be called once all is loaded, for what is there by then is never freed.
    """
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)
