"""Fuzz the readers by hand: `python -m tests.fuzz --minutes 60 [READER...]`."""

import argparse
import sys
import time
from contextlib import closing, suppress

from rich.console import Console
from rich.table import Table

from tests.fuzz.harness import Tally, load_readers
from tests.fuzz.processes import attempts


def main() -> None:
    """Try every reader until Ctrl-C, print the table, and exit with 1 if any input failed."""
    readers = load_readers()
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("readers", nargs="*", metavar="READER", help=", ".join(sorted(readers)))
    parser.add_argument(
        "--minutes", type=float, default=1.0, help="of processor time, for all together"
    )
    parser.add_argument("--seed", type=int, default=None, help="by default the time")
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument("--inputs", type=int, default=None, help="at most so many for each reader")
    options = parser.parse_args()
    if unknown := set(options.readers) - set(readers):
        parser.error(f"no reader {sorted(unknown)[0]!r}; there are {', '.join(sorted(readers))}")
    names = options.readers or sorted(readers)
    seed = int(time.time()) if options.seed is None else options.seed
    tallies: dict[str, Tally] = {}
    with suppress(KeyboardInterrupt):  # what was tried until then is shown
        for name in names:
            tallies[name] = Tally()
            with closing(attempts(readers[name], seed, options.first)) as tried:
                for outcome in tried:
                    tallies[name].add(outcome)
                    if outcome.verdict == "failed" and len(tallies[name].failures) <= 5:
                        print(f"{name}: {outcome}", file=sys.stderr, flush=True)
                    spent = tallies[name].seconds * len(names) / 60 >= options.minutes
                    if spent or tallies[name].total == options.inputs:
                        break
    show(tallies, seed)
    sys.exit(any(tally.failures for tally in tallies.values()))


def show(tallies: dict[str, Tally], seed: int) -> None:
    """Print the table."""
    table = Table(title=f"Damaged inputs, seed {seed}", title_justify="left")
    table.add_column("reader")
    for heading in ("inputs", "refused", "accepted", "failures", "seconds"):
        table.add_column(heading, justify="right")
    total = Tally()
    for name, tally in tallies.items():
        table.add_row(name, *_cells(tally))
        for verdict, count in tally.counts.items():
            total.counts[verdict] += count
        total.seconds += tally.seconds
    table.add_section()
    table.add_row("together", *_cells(total))
    Console().print(table)


def _cells(tally: Tally) -> list[str]:
    counts = (tally.total, *(tally.counts[key] for key in ("refused", "accepted", "failed")))
    return [*(f"{count:,}" for count in counts), f"{tally.seconds:,.0f}"]


if __name__ == "__main__":
    main()
