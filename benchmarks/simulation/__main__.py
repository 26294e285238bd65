"""`make sim SEEDS=20000`: run that many worlds, and print each breach with the seed that replays it."""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor

from benchmarks.simulation import scenario
from benchmarks.simulation.invariants import breaches
from benchmarks.simulation.world import World

CHUNK = 250


def run(seed: int, *, trace: bool = False) -> tuple[list[str], int]:
    """The breaches in the world of a seed, and the number of its commits."""
    world = World(scenario.make(seed), print if trace else None)
    world.run()
    return list(breaches(world)), sum(len(watched.commits) for watched in world.watched)


def run_chunk(first: int) -> tuple[list[str], int]:
    """The breaches and commits of `CHUNK` seeds from `first` on."""
    found, commits = [], 0
    for seed in range(first, first + CHUNK):
        sentences, count = run(seed)
        found += [f"seed {seed}: {sentence}" for sentence in sentences]
        commits += count
    return found, commits


def main() -> int:
    """The command line; the exit status is 1 when an invariant broke."""
    parser = argparse.ArgumentParser(prog="simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20_000, help=f"how many worlds, in steps of {CHUNK}")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument(
        "--replay", type=int, metavar="SEED", help="run this one world, and print what happens"
    )
    options = parser.parse_args()
    if options.replay is not None:
        found, _ = run(options.replay, trace=True)
        print("\n".join(found) or "no breach")
        return bool(found)
    return explore(options.first, options.seeds)


def explore(first: int, seeds: int) -> int:
    """Run many worlds on all cores, saying how far it is; return 1 when an invariant broke."""
    started, done, commits, broken = time.monotonic(), 0, 0, 0
    with ProcessPoolExecutor() as pool:
        for found, count in pool.map(run_chunk, range(first, first + seeds, CHUNK)):
            done, commits, broken = done + CHUNK, commits + count, broken + len(found)
            for sentence in found:
                print(sentence)
            if sys.stderr.isatty() or done % (CHUNK * 20) == 0:
                print(f"{done} seeds, {commits} commits, {broken} breaches", file=sys.stderr)
    took = time.monotonic() - started
    print(f"{done} seeds in {took:.0f} s: {commits} commits, {broken} breaches")
    return bool(broken)


if __name__ == "__main__":
    sys.exit(main())
