"""`zoo export`: a model as a file of ONNX or torch.export."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zoo.exporters.export import Export
    from zoo.exporters.graph import Shape

__all__ = ["add_export"]


def add_export(verbs: Any) -> None:
    """Add the verb `export` and its options."""
    verb = verbs.add_parser(
        "export",
        help="write a model as ONNX or torch.export",
        description="Write a model as one file that runs without this package: ONNX (.onnx, with the extra onnx) or "
        "torch.export (.pt2). It reads one-hot DNA in batches of any size and gives what `zoo predict` gives; it is "
        "loaded again and compared with the model before it is there.",
    )
    verb.add_argument("name", metavar="NAME", help="architecture.tag, local-dir:PATH, or hf-hub:ORG/REPO@REVISION")
    verb.add_argument("-o", "--output", required=True, metavar="FILE", help="the new file, .onnx or .pt2")
    verb.set_defaults(run=export_command)


def export_command(options: argparse.Namespace) -> None:
    """Export a model, and print what the file reads and gives and how far it is off."""
    from zoo.exporters.target import check_target
    from zoo.hub.registry import find

    check_target(Path(options.output))  # these two before torch is imported
    find(options.name)
    from zoo.exporters.export import export

    print("\n".join(_lines(export(options.name, options.output))))


def _lines(exported: "Export") -> list[str]:
    """What is printed of an exported file."""
    from zoo.exporters.check import TOLERANCE
    from zoo.exporters.graph import OUTPUT
    from zoo.utils.text import counted

    known, compared = exported.metadata, exported.comparison
    reads = [f"{name} {_shape(shape)}" for name, shape in exported.shapes.items() if name != OUTPUT]
    batches = ", ".join(f"{rows} x {bases:,} bases" for rows, bases in compared.batches)
    lengths = f"{int(known['shortest']):,}"
    if known["shortest"] != known.get("longest"):
        lengths += f" to {int(known['longest']):,}" if "longest" in known else " or more"
    return [
        f"{exported.path}: {exported.size:,} bytes",
        f"reads {' and '.join(reads)}, float32; batches of any size, sequences of {lengths} bases",
        f"channels A, C, G, T; the four channels of an N are {known['unknown_base']}",
        f"gives {OUTPUT} {_shape(exported.shapes[OUTPUT])}",
        f"largest difference {compared.difference:.2g} (allowed {TOLERANCE:g}) in "
        f"{counted(compared.stored, 'stored prediction')} and in random batches of {batches}",
    ]


def _shape(shape: "Shape") -> str:
    return f"({', '.join(map(str, shape))})"
