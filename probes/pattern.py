"""Patterns of customers, searched in bodies of strangers: RE2, with a bound on the work.

RE2 takes time linear in the text, but the factor can be the size of the program, about 5 ns for each
instruction and byte, when text and pattern conspire (`a.{100}z` took 0.5 s over 1 MiB). So a pattern is
searched only as far as its bound reaches; simple ones reach through the whole body.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import re2

MAX_INSTRUCTIONS = 2000
MAX_STEPS = 6_000_000
"""Instructions times bytes: about 30 ms at worst."""
MAX_MEMORY_BYTES = 256 * 1024
"""Of each pattern; re2 keeps 128 of them."""


class BadPattern(ValueError):
    """A pattern that is not taken; the text is a short reason."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled pattern. `search` gives the GIL back while it works."""

    regexp: Any
    reach_bytes: int
    """How much of a body it is searched in."""

    def search(self, body: bytes) -> bool:
        """Whether it is found in the first `reach_bytes` of `body`."""
        return self.regexp.search(body[: self.reach_bytes]) is not None


def compile_pattern(text: str) -> Pattern:
    """`text` in RE2's syntax, UTF-8; raises `BadPattern`."""
    options = re2.Options()
    options.max_mem = MAX_MEMORY_BYTES
    options.never_capture = True
    options.log_errors = False
    try:
        regexp = re2.compile(text, options)
    except (re2.error, UnicodeError) as error:
        raise BadPattern("this is not a regular expression of RE2, or too large a one") from error
    instructions = max(regexp.programsize, regexp.reverseprogramsize, 1)
    if instructions > MAX_INSTRUCTIONS:
        raise BadPattern(f"the pattern takes {instructions} steps, {MAX_INSTRUCTIONS} are allowed")
    return Pattern(regexp, MAX_STEPS // instructions)
