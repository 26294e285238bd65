"""Whether an HTTP answer is what its target asks for."""

from __future__ import annotations

import asyncio

from probes.errors import ErrorClass, Fault
from probes.fetch import FetchResponse
from probes.messages import BodyRule, HttpTarget
from probes.pattern import compile_pattern


async def judge(response: FetchResponse, total_ms: float, target: HttpTarget) -> Fault | None:
    """The first thing that is wrong, if anything is: transfer, status, body, latency in this order."""
    fault = judge_head(response, total_ms, target)
    if target.body_rule and (fault is None or fault.error_class is ErrorClass.LATENCY):
        return await _body_fault(response, target.body_rule) or fault
    return fault


def judge_head(response: FetchResponse, total_ms: float, target: HttpTarget) -> Fault | None:
    """The same but for the body."""
    if response.error_class:
        return Fault(response.error_class, response.error)
    fault = _status_fault(response.status_code or 0, target)
    if fault is None and target.max_latency_ms and total_ms > target.max_latency_ms:
        fault = Fault(ErrorClass.LATENCY, f"{total_ms:.0f} ms, allowed are {target.max_latency_ms} ms")
    return fault


def _status_fault(status: int, target: HttpTarget) -> Fault | None:
    for low, high in target.expected_status:
        if low <= status <= high:
            return None
    expected = ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in target.expected_status)
    return Fault(_status_class(status), f"status {status}, expected {expected}")


def _status_class(status: int) -> ErrorClass:
    if status >= 500:
        return ErrorClass.HTTP_5XX
    return ErrorClass.HTTP_4XX if status >= 400 else ErrorClass.HTTP_STATUS


async def _body_fault(response: FetchResponse, rule: BodyRule) -> Fault | None:
    is_found, searched_bytes = await _search(rule, response.body)
    if is_found != rule.is_negated:
        return None
    if is_found:
        return Fault(ErrorClass.BODY_MISMATCH, "the body contains the forbidden text")
    if response.is_truncated or searched_bytes < len(response.body):
        return Fault(ErrorClass.TOO_LARGE, f"the text is not in the first {searched_bytes} bytes of the body")
    return Fault(ErrorClass.BODY_MISMATCH, "the body does not contain the expected text")


async def _search(rule: BodyRule, body: bytes) -> tuple[bool, int]:
    """Whether the rule's text is in `body`, and in how much of it was looked."""
    if not rule.is_regex:
        return rule.text.encode() in body, len(body)
    pattern = compile_pattern(rule.text)
    is_found = await asyncio.to_thread(pattern.search, body)  # may take 30 ms, which others need not wait
    return is_found, min(len(body), pattern.reach_bytes)
