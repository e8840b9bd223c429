"""The benchmark's result as a person reads it."""

from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table


def show(result: dict[str, Any], console: Console) -> None:
    """Print the table that a person reads."""
    machine, settings = result["machine"], result["settings"]
    title = f"images/s, {settings['rounds']} rounds of about {settings['seconds']:g} s a side"
    table = Table(title=title, box=box.SIMPLE_HEAD, show_edge=False, padding=0)
    table.add_column("recipe", overflow="fold", min_width=14)
    headings = (
        "engine",
        "textbook",
        "ratio",
        "min..max",
        "GFLOP/s",
        "share",
        "GEMM",
        "GB/s",
        "MiB",
    )
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    for row in result["recipes"]:
        speeds, ratio = row["median_images_per_second"], row["ratio"]
        peak = row["peak_memory_mib"]["engine"]
        table.add_row(
            row["recipe"],
            f"{speeds['engine']:,.0f}",
            f"{speeds['textbook']:,.0f}",
            f"{ratio['median']:.2f}",
            f"{ratio['min']:.2f}..{ratio['max']:.2f}",
            f"{row['engine_gflops']:.1f}",
            f"{row['share_of_gemm']:.0%}",
            f"{row['gemm_gflops']:.0f}",
            f"{row['memory_bandwidth']:.1f}",
            "-" if peak is None else f"{peak:,.0f}",
        )
    console.print(table)
    neighbours: set[str] = {row["busy"] for row in result["recipes"]} - {"no"}
    beside = f", a busy process beside: {', '.join(sorted(neighbours))}" if neighbours else ""
    console.print(
        f"{machine['processor']}, {machine['threads']} threads, torch {machine['torch']}{beside}",
        highlight=False,
    )
