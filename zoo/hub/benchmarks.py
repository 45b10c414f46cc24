"""The benchmarks that are shipped with the code: scripts by name, and the tables that this project recorded.

Nothing here imports torch, and no script is run.
"""

from pathlib import Path

from zoo.hub import registry

__all__ = ["benchmark_scripts", "recorded_results"]


def benchmark_scripts() -> dict[str, Path]:
    """The scripts of the benchmarks, by name."""
    folder = registry.shipped_folder("benchmarks")
    return {path.stem.removeprefix("bench_"): path for path in folder.glob("*/bench_*.py")}


def recorded_results() -> dict[str, Path]:
    """The tables that scripts of this project wrote, by name: CSV files, each with a JSON file of its run's facts."""
    return {path.stem: path for path in sorted(registry.shipped_folder("benchmarks").glob("results/*.csv"))}
