"""The process manager: supervisord in this process, its children's output on our own.

A subclass instead of the `supervisord` command with an event listener: one process less, which
cannot be lost either.
"""

from __future__ import annotations

import sys
from typing import Any

from supervisor import events
from supervisor.medusa.asyncore_25 import ExitNow
from supervisor.options import ServerOptions
from supervisor.states import SupervisorStates
from supervisor.supervisord import Supervisor

from config.local import programs
from config.local.conf import APPLICATION

# The manager sees a child's end when it looks; left alone it looks once a second.
LOOK_SECONDS = 0.2


class Manager(Supervisor):  # type: ignore[misc]  # supervisor has no annotations
    """Prints each line after the name of its process; starts the application after `boot`."""

    failed = False

    def runforever(self) -> None:
        self.unfinished: dict[str, bytes] = {}
        events.subscribe(events.ProcessLogStdoutEvent, self.on_output)
        events.subscribe(events.ProcessStateExitedEvent, self.on_exit)
        poll = self.options.poller.poll
        self.options.poller.poll = lambda seconds: poll(min(seconds, LOOK_SECONDS))
        super().runforever()

    def on_output(self, event: Any) -> None:
        """Prints what is complete of a process's output and keeps the beginning of a line for later."""
        name = event.process.config.name
        *lines, rest = (self.unfinished.get(name, b"") + event.data).split(b"\n")
        self.unfinished[name] = rest
        prefix = "" if name == programs.READY else f"{name:<9} | "
        try:
            for line in lines:
                print(prefix + line.decode(errors="replace"), flush=True)  # noqa: T201
        except BrokenPipeError:  # nobody reads us any more, as in `make up | head`
            self.options.mood = SupervisorStates.SHUTDOWN

    def on_exit(self, event: Any) -> None:
        """What runs once has a say: without `boot` nothing can go on, and after it everything does."""
        name = event.process.config.name
        if name in (programs.BOOT, programs.READY) and not event.expected:
            self.failed = True
            self.options.mood = SupervisorStates.SHUTDOWN
        elif name == programs.BOOT:
            for process in self.process_groups[APPLICATION].processes.values():
                process.spawn()


def run(configuration: str) -> None:
    """Runs the programs in the file `configuration` until a signal; exits with 1 when they did not start."""
    options = ServerOptions()
    options.realize(["-c", configuration])
    options.first, options.test = True, False
    manager = Manager(options)
    try:
        manager.main()
    except ExitNow:
        sys.exit(1 if manager.failed else 0)
