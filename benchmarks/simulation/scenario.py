"""What a seed makes: who is watched, what really happens, and what goes wrong on our side."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

PEACE_SECONDS = 400.0
"""After the trouble; longer than any bound on detection."""
LATE_OUTAGE = (60.0, 160.0)
"""So long after the trouble an outage may come that nothing excuses us to be late for."""
CALM_SECONDS = 1_000.0
"""The same in a world where monitors flap, which takes a while to be over."""


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` until just before `end`, in seconds of the simulation."""

    start: float
    end: float

    def holds(self, at: float) -> bool:
        return self.start <= at < self.end


@dataclass(frozen=True, slots=True)
class Target:
    """A monitor and the truth about it."""

    interval: float
    timeout: float
    outages: tuple[Span, ...]
    hangs: bool
    """Whether it fails by silence, which takes the whole timeout, or at once."""

    def is_down(self, at: float) -> bool:
        return any(outage.holds(at) for outage in self.outages)


@dataclass(frozen=True, slots=True)
class Vantage:
    """A region, and what is wrong with it when."""

    name: str
    dead: tuple[Span, ...]
    sick: tuple[Span, ...]
    blind: tuple[Span, ...]
    """While it alone sees every target fail, and does not know that it is its own affair."""
    doubles: float
    """The chance that a message from it comes twice."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A world before it begins to run. Until `trouble_ends` anything may go wrong on our side."""

    seed: int
    targets: tuple[Target, ...]
    regions: tuple[Vantage, ...]
    trouble_ends: float
    ends: float
    loss: float
    slowest: float
    crashes: float
    """The chance that the core dies at a step."""


def make(seed: int) -> Scenario:
    """The world of a seed, always the same."""
    random = Random(seed)
    rough = random.choice((0.0, 0.0, 1.0))
    trouble_ends = random.uniform(60, 400)
    regions = _regions(random, trouble_ends)
    flapping = random.random() < 0.05
    ends = trouble_ends + (CALM_SECONDS if flapping else PEACE_SECONDS)
    return Scenario(
        seed=seed,
        targets=tuple(_target(random, trouble_ends, ends, flapping) for _ in range(random.randint(1, 2))),
        regions=regions,
        trouble_ends=trouble_ends,
        ends=ends,
        loss=rough * random.choice((0.02, 0.1, 0.3)),
        slowest=0.3 + rough * random.choice((0.0, 3.0, 30.0)),
        crashes=rough * random.choice((0.0, 0.02, 0.1)),
    )


def _regions(random: Random, until: float) -> tuple[Vantage, ...]:
    """One to five regions. At most one at a time is blind: what two see is an outage by the rule."""
    count = random.choice((1, 2, 3, 3, 3, 4, 5))
    blind = random.randrange(count) if count >= 3 and random.random() < 0.5 else None
    return tuple(
        Vantage(
            name=f"r{number}",
            dead=_spans(random, until, 0.2),
            sick=_spans(random, until, 0.2),
            blind=_spans(random, until, 1.0) if number == blind else (),
            doubles=random.choice((0.0, 0.1, 0.5)),
        )
        for number in range(count)
    )


def _target(random: Random, until: float, ends: float, flapping: bool) -> Target:
    interval = 1.0 if flapping else random.choice((1.0, 2.0, 10.0, 20.0, 60.0))
    outages = _flaps(random, until) if flapping else _outages(random, until, ends)
    return Target(
        interval=interval,
        timeout=random.choice((1.0, 5.0, 10.0)),
        outages=outages,
        hangs=random.random() < 0.3,
    )


def _outages(random: Random, until: float, ends: float) -> tuple[Span, ...]:
    """Up to three in times of trouble, of any length; one may last until the end, or one come in peace."""
    spans = _spans(random, until, 0.8)
    if random.random() < 0.3:
        start = until + random.uniform(*LATE_OUTAGE)
        return (*spans, Span(start, start + random.uniform(0, ends - start)))
    if random.random() < 0.3:
        return (*spans, Span(random.uniform(0, until), ends + 1))
    return spans


def _flaps(random: Random, until: float) -> tuple[Span, ...]:
    every = random.uniform(8, 20)
    return tuple(Span(at * every, at * every + every / 2) for at in range(1, int(until / every)))


def _spans(random: Random, until: float, chance: float) -> tuple[Span, ...]:
    if random.random() >= chance:
        return ()
    starts = [random.uniform(0, until) for _ in range(random.randint(1, 3))]
    return tuple(Span(start, min(start + random.expovariate(1 / 60), until)) for start in starts)
