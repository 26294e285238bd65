"""What is loaded is left alone by the garbage collector, and what makes circles is still freed."""

from __future__ import annotations

import subprocess
import sys

SPARED = """
import gc, weakref
from probes import collector
class Circle: pass
circle = Circle(); circle.itself = circle
collector.spare()
frozen = gc.get_freeze_count()
seen = []
for _ in range(3 * collector.YOUNG_OBJECTS):
    circle = Circle(); circle.itself = circle
    seen.append(weakref.ref(circle))
print(frozen > 1_000, sum(each() is not None for each in seen) <= collector.YOUNG_OBJECTS)
"""


def test_circles_are_freed_and_what_was_loaded_is_frozen() -> None:
    done = subprocess.run([sys.executable, "-c", SPARED], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True"]
