"""`make oracle`: asks everyone, prints each disagreement with its reason; one without is a failure."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pycurl

from benchmarks.oracle.cases import TIMEOUT_MS, Case, cases
from benchmarks.oracle.world import world
from benchmarks.probes import blackbox
from probes import curl
from probes.guard import AddressPolicy
from tests.probes.asking import look_at

OUTPUT = Path("build/oracle.json")
PLUGINS = Path("/usr/lib/nagios/plugins")
LOOPBACK = AddressPolicy.of(["127.0.0.0/8", "::1/128"])
AT_ONCE = 4

Answer = Callable[[Case], "bool | None"]
"""Whether the case is up; None where the oracle cannot be asked that."""


def our_answer(case: Case) -> bool:
    """What a probe says."""
    measured = look_at(case.target, LOOPBACK, TIMEOUT_MS)
    return measured.error_class is None or measured.error_class.outcome == "up"


def plugin_answer(case: Case) -> bool | None:
    """What a monitoring plugin says: 0 is OK, 1 a warning, 2 critical."""
    if case.plugin is None or not (PLUGINS / case.plugin[0]).exists():
        return None
    command = [str(PLUGINS / case.plugin[0]), *case.plugin[1:], "-t", "2"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def blackbox_answers(asked: Sequence[Case], port: int) -> Answer:
    """What blackbox_exporter says: each case is a module of its own."""

    def answer(case: Case) -> bool | None:
        if case.module is None:
            return None
        query = urllib.parse.urlencode({"module": f"m{asked.index(case)}", "target": case.aim})
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/probe?{query}", timeout=10) as response:
            return b"\nprobe_success 1\n" in response.read()

    return answer


def config(asked: Sequence[Case]) -> str:
    """blackbox_exporter's configuration; JSON is YAML."""
    modules = {
        f"m{number}": {**case.module, "timeout": f"{TIMEOUT_MS}ms"}
        for number, case in enumerate(asked)
        if case.module
    }
    return json.dumps({"modules": modules})


def differences(case: Case, ours: bool, oracles: dict[str, Answer]) -> list[tuple[str, str | None]]:
    """Who says otherwise, and why."""
    return [
        (name, case.why.get(name)) for name, answer in oracles.items() if answer(case) not in (None, ours)
    ]


def compare(asked: Sequence[Case], oracles: dict[str, Answer]) -> int:
    """Prints and writes what was found; the number of disagreements without a reason."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        ours = list(pool.map(our_answer, asked))
        found = list(pool.map(lambda case, up: differences(case, up, oracles), asked, ours))
    unexplained = 0
    for case, up, others in zip(asked, ours, found, strict=True):
        for oracle, why in others:
            unexplained += why is None
            print(f"{case.name}: we say {'up' if up else 'down'}, {oracle} does not: {why or 'UNEXPLAINED'}")
    disagree = sum(map(bool, found))
    figures = {"cases": len(asked), "agree": len(asked) - disagree, "disagree": disagree}
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps(figures) + "\n")
    print(f"{len(asked)} cases, asked of {', '.join(oracles)}: {figures['agree']} agree, {disagree} disagree")
    return unexplained


def main() -> int:
    """The command line; the exit status is 1 when a disagreement has no reason."""
    if not blackbox.PROGRAM or not PLUGINS.exists():
        print("Install prometheus-blackbox-exporter and monitoring-plugins-basic (Debian) first.")
        return 2
    with world() as servers:
        curl.ALWAYS = (*curl.ALWAYS, (pycurl.CAINFO, servers.authority))
        asked = list(cases(servers))
        with blackbox.running(config(asked)) as (port, _):
            oracles = {"blackbox": blackbox_answers(asked, port), "plugins": plugin_answer}
            return int(compare(asked, oracles) > 0)


if __name__ == "__main__":
    sys.exit(main())
