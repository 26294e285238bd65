"""The agent of one server: `python -m probes.agent`, after `python -m probes.agent --enrol TOKEN`."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from pathlib import Path
from typing import NoReturn

from probes import env, logs, telemetry
from probes.agent.agent import Agent
from probes.agent.service import Away, BadService, Refused, Service
from probes.canary import configured_canaries
from probes.guard import AddressPolicy, networks

logger = logging.getLogger("probes.agent")


def main() -> NoReturn:
    """The command line."""
    parser = _parser()
    arguments = parser.parse_args()
    key_file = arguments.folder / "key"
    try:
        logs.set_up()
        if arguments.enrol:
            enrol(Service(arguments.url, is_insecure=arguments.insecure), arguments.enrol, key_file)
            sys.exit(0)
        key = key_file.read_text().strip()
        service = Service(arguments.url, key, is_insecure=arguments.insecure)
        telemetry.set_up("agent")
        agent = Agent(service, arguments.folder, policy_in(arguments.allowlist), configured_canaries())
    except FileNotFoundError as error:
        parser.error(f"{error.filename} does not exist" + ("" if arguments.enrol else "; was this enrolled?"))
    except (BadService, env.BadSetting, ValueError) as error:
        parser.error(str(error))
    except (Away, Refused) as error:
        parser.exit(1, f"not enrolled: {error}\n")
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    agent.run(stopping)
    telemetry.close()
    logging.shutdown()
    os._exit(0)  # a name lookup that hangs in its thread must not hold up the exit


def enrol(service: Service, token: str, key_file: Path) -> None:
    """Change the token for a key, and keep it where only this user reads it; raises `Away`, `Refused`."""
    key_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    enrolment = service.enrol(token)
    with os.fdopen(os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
        stream.write(enrolment.agent_key)
    logger.info("agent.enrolled", extra={"server": enrolment.server_id})


def policy_in(allowlist: Path | None) -> AddressPolicy:
    """Public addresses, and the networks in the file: one a line, remarks after `#`. Raises `BadSetting`."""
    if allowlist is None:
        return AddressPolicy()
    lines = (line.partition("#")[0].strip() for line in allowlist.read_text().splitlines())
    return AddressPolicy(networks((line for line in lines if line), str(allowlist)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="probes.agent", description="Look at what this server can reach.")
    url, folder = env.text("AGENT_URL"), env.text("AGENT_FOLDER", "/var/lib/upquorum-agent")
    allowlist = env.text("AGENT_ALLOWLIST")
    parser.add_argument("--url", default=url, help="https://…; default: $UPQUORUM_AGENT_URL")
    parser.add_argument(
        "--folder", type=Path, default=Path(folder), help=f"key, checks and unsent results; default: {folder}"
    )
    parser.add_argument(
        "--allowlist",
        type=Path,
        default=Path(allowlist) if allowlist else None,
        help="a file of private networks, one CIDR a line, that may be looked into",
    )
    parser.add_argument("--enrol", metavar="TOKEN", help="change the token for a key, and end")
    parser.add_argument("--insecure", action="store_true", help="allow http:// to this machine")
    return parser


if __name__ == "__main__":
    main()
