"""Compare the throughput of `inkgan.stream` with that of `inkgan.synth`, in pairs.

python -m benchmarks.stream_throughput [--count 2000] [--rounds 5]

Each round makes the same number of images by both, one after the other, in one process with one
thread, and counts seconds of processor time. Loading the generator counts for both; for sequences,
so does the drawing of all writers' digits.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import torch

import inkgan


def seconds_of_synth(count: int, sequences: bool, paper: str) -> float:
    """Return the processor time that a data set takes."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.process_time()
        if sequences:
            value = request(count, paper)
            inkgan.synth(Path(folder) / "set", sequences=value, format="lmdb", workers=1, threads=1)
        else:
            inkgan.synth(Path(folder) / "set", per_class=count // 10, device="cpu", threads=1)
        return time.process_time() - start


def seconds_of_stream(count: int, sequences: bool, paper: str) -> float:
    """Return the processor time that as many images of a stream take."""
    start = time.process_time()
    value = request(count, paper) if sequences else None
    made = sum(1 for _ in inkgan.stream(value, length=count))
    assert made == count
    return time.process_time() - start


def request(count: int, paper: str) -> inkgan.Sequences:
    """Return the sequences that both draw."""
    page = inkgan.Paper(paper)  # type: ignore[arg-type]  # one of the three below
    return inkgan.Sequences(count, writers=20, length=(4, 8), paper=page)


def main() -> None:
    """Print the ratio of each round, and their median."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    cases = [("digits", False, "clean"), ("sequences", True, "clean"), ("photo", True, "photo")]
    for name, sequences, paper in cases:
        ratios = []
        for _ in range(arguments.rounds):
            synth = seconds_of_synth(arguments.count, sequences, paper)
            stream = seconds_of_stream(arguments.count, sequences, paper)
            ratios.append(synth / stream)
            print(f"{name}: synth {synth:.1f} s, stream {stream:.1f} s", flush=True)
        print(f"{name}: stream has {statistics.median(ratios):.2f} times the throughput of synth")


if __name__ == "__main__":
    main()
