"""Fuzz the API of a whole Upquorum by its own OpenAPI documents: `make fuzz-api`.

Schemathesis asks what each document allows and what it does not. Any answer with a 5xx, with a status or a
body that is not documented, or that takes what it should refuse, fails the run. The seed is printed, so
that what was found can be found again.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.environment import Environment

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "ignored_auth",
)
DOCUMENTS = {"openapi.json": "native", "openapi-flat.json": "flat"}
"""Each with the format that it is about."""


def main() -> int:
    """Start an environment, fuzz it, and stop it; 0 when nothing was found."""
    arguments = parse()
    with tempfile.TemporaryDirectory(prefix="upquorum-fuzz-") as folder:
        environment = Environment(Path(folder) / "data")
        environment.start()
        try:
            prepare(environment)
            return max(fuzz(environment, arguments, *each) for each in DOCUMENTS.items())
        finally:
            environment.stop()


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--examples", type=int, default=2000, help="how many for each operation and phase")
    parser.add_argument("--seed", type=int, default=1)
    # More of them end in a SystemError of ast.parse, which is not safe in threads on Python 3.11.
    parser.add_argument("--workers", type=int, default=1)
    return parser.parse_args()


def prepare(environment: Environment) -> None:
    """Monitors, a webhook, a delivery and a server to aim at, with the ids that `fuzz_hooks` knows."""
    api = f"http://127.0.0.1:{environment.port}/healthz"
    environment.call("POST", "/monitors", {"name": "the API", "url": api, "type": "http"})
    environment.call("POST", "/monitors", {"name": "a port", "url": "127.0.0.1:9", "type": "tcp"})
    environment.call("PUT", "/monitors/1/webhook", {"url": api})
    environment.call("POST", "/monitors/1/webhook/test")
    server = environment.call("POST", "/servers", {"name": "web-01"})
    check = {"name": "a check", "url": "http://10.0.0.5/", "type": "http", "servers": [server["id"]]}
    environment.call("POST", "/monitors", check)


def fuzz(environment: Environment, arguments: argparse.Namespace, document: str, format_name: str) -> int:
    """Let Schemathesis loose on the environment, in one format; its exit status."""
    key = (environment.folder / "api-key").read_text().strip()
    command = [
        *(str(Path(sys.executable).with_name("schemathesis")), "run"),
        f"http://127.0.0.1:{environment.port}/{document}",
        *("--header", f"Authorization: Bearer {key}"),
        *("--header", f"Upquorum-Format: {format_name}"),
        *("--checks", ",".join(CHECKS)),
        *("--max-examples", str(arguments.examples)),
        *("--seed", str(arguments.seed)),
        *("--workers", str(arguments.workers)),
        "--continue-on-failure",
        *("--suppress-health-check", "all"),
    ]
    hooks = os.environ | {"SCHEMATHESIS_HOOKS": "benchmarks.fuzz_hooks"}
    return subprocess.run(command, env=hooks, check=False).returncode


if __name__ == "__main__":
    raise SystemExit(main())
