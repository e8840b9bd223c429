"""The benchmark's result as a person reads it."""

from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table


def show(result: dict[str, Any], console: Console) -> None:
    """Print the tables that a person reads: speeds and ratios, then the share of the machine."""
    machine, settings = result["machine"], result["settings"]
    title = f"images/s, {settings['rounds']} rounds of about {settings['seconds']:g} s a side"
    speeds = _table(title, "recipe", "busy", "engine", "other", "images/s", "ratio", "min..max")
    use = _table("the engine", "recipe", "busy", "GFLOP/s", "share", "GEMM", "GB/s", "MiB")
    for row in result["recipes"]:
        named = row["recipe"], str(row["busy"])
        medians = row["median_images_per_second"]
        for other, ratio in row["ratio"].items():
            speeds.add_row(
                *named,
                f"{medians['engine']:,.0f}",
                other,
                f"{medians[other]:,.0f}",
                f"{ratio['median']:.2f}",
                f"{ratio['min']:.2f}..{ratio['max']:.2f}",
            )
            named = "", ""
        peak = row["peak_memory_mib"]["engine"]
        use.add_row(
            row["recipe"],
            str(row["busy"]),
            f"{row['engine_gflops']:.1f}",
            f"{row['share_of_gemm']:.0%}",
            f"{row['gemm_gflops']:.0f}",
            f"{row['memory_bandwidth']:.1f}",
            "-" if peak is None else f"{peak:,.0f}",
        )
    console.print(speeds, use)
    if not all(row["busy_to_the_end"] for row in result["recipes"]):
        console.print("a busy process ended too early: use fewer rounds or seconds")
    console.print(
        f"{machine['processor']}, {machine['threads']} threads, torch {machine['torch']}; busy: "
        "processes beside that keep a core busy each",
        highlight=False,
    )


def _table(title: str, first: str, *headings: str) -> Table:
    table = Table(title=title, box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column(first, overflow="fold", min_width=10)
    for heading in headings:
        left = heading == "other"
        table.add_column(heading, justify="left" if left else "right", no_wrap=not left)
    return table
