"""The closed list of error classes."""

from __future__ import annotations

from probes.errors import ErrorClass


def test_only_the_targets_own_failures_vote_down() -> None:
    silent = {error: error.outcome for error in ErrorClass if error.outcome != "down"}
    assert silent == {
        ErrorClass.CERT_EXPIRING: "up",
        ErrorClass.LATENCY_WARNING: "up",
        ErrorClass.BLOCKED: "error",
        ErrorClass.REGION_SICK: "error",
        ErrorClass.INTERNAL: "error",
        ErrorClass.LATE: "missed",
    }


def test_every_class_says_what_it_means_in_one_line() -> None:
    for error in ErrorClass:
        assert error.meaning.endswith(".")
        assert "\n" not in error.meaning
        assert str(error) == error.value == error.name.lower()
