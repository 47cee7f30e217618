"""Generate toy events in a process of its own, so that a test can kill it. Arguments: folder and stage."""

import sys
import time
from pathlib import Path

from tests.generation.toy_process import ToyProcess

from partonic.config.generation import GenerationConfig, SamplerConfig
from partonic.generation import chunks, generate, lhe, training

SAMPLER = SamplerConfig(
    vegas_iterations=2, vegas_points=1_000, vegas_bins=8, units=8, bins=4, harmonics=1, rounds=3,
    points_per_round=1_000, steps_per_round=10, batch_size=128, tail_power=2.0,
)  # fmt: skip
CONFIG = GenerationConfig(events=3_000, sampler=SAMPLER, pilot_points=4_000, chunk_points=1_000)


def main(folder: str, stage: str) -> None:
    """Generate; print a line and wait to be killed at the second step of `stage`."""

    def halt_after(owner: object, name: str) -> None:
        original = getattr(owner, name)
        calls = 0

        def halting(*arguments: object, **keywords: object) -> object:
            nonlocal calls
            result = original(*arguments, **keywords)
            calls += 1
            if calls == 2:
                sys.stdout.write("kill me\n")
                sys.stdout.flush()
                time.sleep(60)
            return result

        setattr(owner, name, halting)

    if stage == "training":
        halt_after(training.SamplerTraining, "save")
    if stage == "chunks":
        halt_after(chunks.EventChunk, "save")
    if stage == "writing":
        halt_after(lhe._EventFormatter, "text")
    generate.generate_events(ToyProcess(), CONFIG, 3, Path(folder))


if __name__ == "__main__":
    main(*sys.argv[1:])
