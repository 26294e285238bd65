"""Patterns: what they find, and what 200 of the worst cost."""

from __future__ import annotations

import random
import time
from contextlib import suppress
from itertools import product

import pytest

from probes.pattern import MAX_INSTRUCTIONS, MAX_STEPS, BadPattern, Pattern, compile_pattern

BODY_BYTES = 1024 * 1024
LIMIT_SECONDS = 0.05
LIMIT_WALKS = 50
"""The limit while a machine is slow, in plain walks over `BODY_BYTES`: of 1 ms each on one that is not."""
CORES = ["a", "[ab]", "(a|b)", "(a|aa)", "(ab?)", "a.", r"\w", "[^c]", r"(\w|ab)", "(a|a?)"]
SHAPES = [
    "({0}+)+$",
    "({0}*)*c",
    "({0}|{0})*c",
    "^({0}+)+(b+)+$",
    "{0}*a{0}{{50}}c",
    "{0}*a{0}{{90}}c",
    "{0}*a{0}{{200}}c",
    "{0}*a{0}{{500}}c",
    "({0}?){{100}}{0}{{100}}c",
    "(.*{0}){{25}}c",
    "({0}{{10}}){{10}}c",
    "(({0}{{10}}){{10}}){{10}}c",
    "(?s).*{0}.{{300}}c",
    "{0}{{1,900}}c",
    "({0}+.+)+c",
    r"(?i)({0}+\s?)*{0}{{80}}c$",
    r"\b({0}+\b)*c",
    r"{0}\PL{{300}}c",
    r"({0}|\pL){{100}}c",
    "(x+x+)+{0}{{70}}.{{70}}c",
]
EVIL = [shape.format(core) for shape, core in product(SHAPES, CORES)]


def bodies() -> list[bytes]:
    dice = random.Random(1)
    alphabets = [b"a", b"ab", b"abx c", "aä€".encode(), bytes(range(256))]
    drawn = [bytes(dice.choices(alphabet, k=BODY_BYTES)) for alphabet in alphabets]
    return [*drawn, b"aab" * (BODY_BYTES // 3)]


def is_slow(pattern: Pattern, text: bytes) -> bool:
    if cpu_seconds(pattern, text) <= LIMIT_SECONDS:
        return False
    walk = compile_pattern("[a-z]+ [0-9]+")
    pairs = [(cpu_seconds(pattern, text), cpu_seconds(walk, b"a" * BODY_BYTES)) for _ in range(5)]
    return min(spent - max(LIMIT_SECONDS, LIMIT_WALKS * plain) for spent, plain in pairs) > 0


def cpu_seconds(pattern: Pattern, text: bytes) -> float:
    begin = time.thread_time()
    pattern.search(text)
    return time.thread_time() - begin


@pytest.mark.parametrize(
    "pattern", ["(", "[a", "a{2000}", "a**", r"(a)\1", "(?=a)", "(?<!a)b", "\ud800", r"\pL{300}"]
)
def test_what_re2_does_not_take_is_refused(pattern: str) -> None:
    with pytest.raises(BadPattern, match=r"RE2|steps"):
        compile_pattern(pattern)


@pytest.mark.parametrize(
    "pattern", ["ok", r'"status":\s*"(ok|up)"', r"(?i)welcome to .{1,30}!", r"v\d+\.\d+\.\d+", r"\pL+"]
)
def test_what_people_write_reaches_far(pattern: str) -> None:
    assert compile_pattern(pattern).reach_bytes > 4_000


def test_beyond_its_reach_a_pattern_finds_nothing() -> None:
    pattern = compile_pattern("[^b]{100}b")
    text = b"a" * pattern.reach_bytes
    assert pattern.search(text[:-1] + b"b")
    assert not pattern.search(text + b"b")


def test_two_hundred_catastrophic_patterns_are_cheap_or_refused() -> None:
    texts, slow, refused = bodies(), [], 0
    for pattern in EVIL:
        try:
            compiled = compile_pattern(pattern)
        except BadPattern:
            refused += 1
            continue
        for text in texts:
            if is_slow(compiled, text):
                slow.append(pattern)
    assert len(EVIL) == 200
    assert slow == []
    assert refused < 100, "the bound on the work, not the refusals, is what this shows"


def test_to_refuse_is_cheap_as_well() -> None:
    for pattern in EVIL:
        begin = time.thread_time()
        with suppress(BadPattern):
            compile_pattern(pattern)
        assert time.thread_time() - begin < LIMIT_SECONDS, pattern


def test_the_bound_leaves_a_sensible_reach() -> None:
    assert MAX_STEPS // MAX_INSTRUCTIONS > 2_000
