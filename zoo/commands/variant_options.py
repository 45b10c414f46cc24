"""The arguments of `zoo variants`."""

from zoo.commands.parser import DEVICES, PRECISION, Option

__all__ = ["VARIANT_OPTIONS"]

VARIANT_OPTIONS = (
    Option(("name",), {"metavar": "NAME", "help": "architecture.tag, local-dir:PATH, or hf-hub:ORG/REPO@REVISION"}),
    Option(
        ("variants",),
        {
            "metavar": "VARIANTS",
            "help": "VCF, VCF.gz or BCF; or a table with chrom, pos (from 1), ref and alt, perhaps id and strand (- is "
            "standard input); or, without a genome, one with ref_sequence and alt_sequence",
        },
    ),
    Option(("--genome",), {"metavar": "FASTA", "help": "the genome of the variants"}),
    Option(
        ("-o", "--output"),
        {
            "default": "-",
            "metavar": "FILE",
            "help": "a table (.tsv, .csv, also .gz, or .parquet; - is standard output, the default), or the records of "
            "a VCF again with the scores in INFO (.vcf, .vcf.gz, .bcf)",
        },
    ),
    Option(
        ("--hold",),
        {
            "choices": ("left", "right", "both"),
            "default": "both",
            "help": "of insertions and deletions: the side of the change on which the bases stay where they are in the "
            "window, while those on the other side move; both: the mean of the scores of either (default)",
        },
    ),
    Option(
        ("--shifts",),
        {
            "type": int,
            "nargs": "+",
            "default": [0],
            "metavar": "BASES",
            "help": "move the windows by so many bases, and write the mean of the scores (default: 0)",
        },
    ),
    Option(
        ("--both-strands",),
        {
            "action": "store_true",
            "help": "read both strands and take the mean, also with a model that does not do so itself",
        },
    ),
    Option(
        ("--scores",), {"nargs": "+", "metavar": "SCORE", "help": "these scores only (default: all of the model's)"}
    ),
    Option(("--targets",), {"nargs": "+", "metavar": "TARGET", "help": "these targets only"}),
    Option(
        ("--within",),
        {
            "type": int,
            "metavar": "BASES",
            "help": "models of tracks: count the bins not farther from the change (default: all)",
        },
    ),
    Option(
        ("--plot",),
        {
            "metavar": "REGION",
            "help": "draw a picture instead (-o FILE.png, .svg or .pdf): the first score of all variants of a region "
            "such as chr1:1,000-2,000; or, of the variant with this ID, the tracks or contact maps of both alleles",
        },
    ),
    Option(
        ("--resume",),
        {
            "action": "store_true",
            "help": "keep what is scored in OUTPUT.parts until the output is whole, and go on with what an earlier "
            "command of the same settings left there",
        },
    ),
    *DEVICES,
    Option(
        ("--batch-size",),
        {"type": int, "metavar": "N", "help": "pairs at once (default: 64 of labels, 8 of tracks, 1 of contacts)"},
    ),
    PRECISION,
)
