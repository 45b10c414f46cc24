"""`zoo config` and `zoo example`: the configurations and example files that are shipped with the code."""

import argparse
import shlex
import sys
from pathlib import Path
from typing import Any

from zoo.commands.tables import print_table

__all__ = ["add_config", "add_example"]

_EXAMPLES = ("ebox.fa", "genome.fa", "peaks.bed", "variants.vcf")
_NEXT = """Now, for example:
  zoo predict deepbind.encode_usf1_h1hesc {folder}/ebox.fa -o predictions.tsv
  zoo predict deepbind.encode_usf1_h1hesc {folder}/peaks.bed --genome {folder}/genome.fa --resize -o peaks.tsv
  zoo variants deepbind.encode_usf1_h1hesc {folder}/variants.vcf --genome {folder}/genome.fa -o scores.tsv"""


def add_config(verbs: Any) -> None:
    """Add the verb `config` and its options."""
    verb = verbs.add_parser(
        "config",
        help="list or print the shipped configurations",
        description="List the configurations that `zoo train` knows by name, or print one, to be saved and edited: "
        "zoo config basset.peaks > mine.yaml. Its first line is a command that trains it.",
    )
    verb.add_argument("name", metavar="NAME", nargs="?", help="a configuration to print; without it, all are listed")
    verb.set_defaults(run=config_command)


def config_command(options: argparse.Namespace) -> None:
    """List the shipped configurations, or print one."""
    from zoo.hub.configs import config_names, config_purpose, config_text

    if options.name:
        print(config_text(options.name), end="")
    else:
        print_table(["configuration", "purpose"], [[name, config_purpose(name)] for name in config_names()])


def add_example(verbs: Any) -> None:
    """Add the verb `example` and its options."""
    verb = verbs.add_parser(
        "example",
        help="write the example files",
        description="Write the example files: sequences, a small genome, peaks and variants of it; with --lab those of "
        "a simulated laboratory: a genome of 3.2 Mb, the peaks, sequences and bigWig of a protein, and a contact map.",
    )
    verb.add_argument("-o", "--output", metavar="DIR", help="a folder (default: examples, or lab)")
    verb.add_argument("--lab", action="store_true", help="the files of a simulated laboratory, to try fine-tuning with")
    verb.add_argument("--overwrite", action="store_true", help="write over files of these names")
    verb.set_defaults(run=example_command)


def example_command(options: argparse.Namespace) -> None:
    """Write the example files, and say what can be done with them."""
    if options.lab:
        _write_lab(options.output or "lab", options.overwrite)
    else:
        _write_examples(options.output or "examples", options.overwrite)


def _write_lab(folder: str, overwrite: bool) -> None:
    from zoo.utils.extras import require_extras

    require_extras(["contacts"], "zoo example --lab")
    from zoo.datasets.lab_example import DATA, write_lab_example

    print("\n".join(map(str, write_lab_example(folder, overwrite))))
    print("Now, for example:", file=sys.stderr)
    for base, words in DATA.items():
        data, name = words.format(folder=shlex.quote(folder)), f"{base.partition('.')[0]}.lab"
        print(f"  zoo finetune {base} {data} --name {name}", file=sys.stderr)


def _write_examples(output: str, overwrite: bool) -> None:
    from zoo.errors import OutputError
    from zoo.hub.registry import shipped_folder
    from zoo.utils.atomic import whole_files
    from zoo.utils.paths import check_creatable

    folder = Path(output)
    check_creatable(folder)
    texts = {folder / name: (shipped_folder("examples") / name).read_text() for name in _EXAMPLES}
    present = [path for path, text in texts.items() if path.exists() and not _holds(path, text)]
    if present and not overwrite:
        raise OutputError(f"{present[0]} exists and is another file: name another folder, or add --overwrite")
    with whole_files(list(texts)) as drafts:
        for draft, text in zip(drafts, texts.values(), strict=True):
            draft.write_text(text)
    print("\n".join(map(str, texts)))
    print(_NEXT.format(folder=shlex.quote(str(folder))), file=sys.stderr)


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_bytes() == text.encode()
