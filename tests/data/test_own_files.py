"""The DataModule that is chosen for files of the user's own, and its arguments."""

import gzip
from pathlib import Path

import pytest

from zoo.data.own_files import choose_data
from zoo.data.sequences import SequenceDataModule
from zoo.data.tracks.table import strand_pairs, strand_partners, tracks_of
from zoo.errors import ConfigError, InputError, ZooError

LABELS = """id\tseq\tchrom\tstart\tstrong\tactivity\tnote\tset
x\tACGT\tchr1\t5\t1\t0.5\tgood\ttrain
y\tACGA\tchr1\t9\tNA\t2\tbad\ttest
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("bound.fa", "unbound.fa", "genome.fa"):
        Path(name).write_text(">a\nACGT\n")
    for name in ("ctcf.bed", "rest.narrowPeak.gz", "one.bw", "contacts.mcool", "map.cool", "reads.bam"):
        Path(name).touch()
    Path("labels.tsv").write_text(LABELS)
    Path("classes.csv.gz").write_bytes(gzip.compress(b"sequence,a,b\nACGT,1,0\nACGA,,1\n"))
    Path("sites.tsv").write_text("chrom\tstart\tend\tsplit\tctcf\nchr1\t0\t4\ttrain\t1\n")
    Path("tracks.tsv").write_text("name\tpath\none\tone.bw\n")
    return tmp_path


def arguments(*files: str, **options: object) -> dict[str, object]:
    return choose_data(files, **options).init_args  # type: ignore[arg-type]


@pytest.mark.usefixtures("folder")
def test_fasta_files_are_classes_and_one_alone_has_shuffles_as_negatives() -> None:
    assert arguments("bound.fa") == {"fasta": {"bound": "bound.fa"}, "shuffles": 1}
    assert arguments("a=bound.fa", "unbound.fa") == {"fasta": {"a": "bound.fa", "unbound": "unbound.fa"}}
    assert arguments("bound.fa", negatives="unbound.fa") == {
        "fasta": {"bound": "bound.fa", "unbound": "unbound.fa"},
        "negative_class": "unbound",
    }


@pytest.mark.usefixtures("folder")
def test_columns_of_numbers_are_labels_but_for_names_and_places() -> None:
    assert arguments("labels.tsv") == {
        "table": "labels.tsv",
        "label_columns": ["strong", "activity"],
        "classify": False,
        "split_column": "set",
    }
    assert arguments("labels.tsv", targets=["strong"]) == {
        "table": "labels.tsv",
        "label_columns": ["strong"],
        "classify": True,
        "split_column": "set",
    }
    assert arguments("classes.csv.gz") == {"table": "classes.csv.gz", "label_columns": ["a", "b"], "classify": True}


@pytest.mark.usefixtures("folder")
def test_the_chosen_arguments_are_those_that_the_data_module_takes() -> None:
    data = SequenceDataModule(**arguments("labels.tsv"))  # type: ignore[arg-type]
    assert data.targets == ["strong", "activity"]
    assert data.read().labels.tolist()[0] == [1, 0.5]


@pytest.mark.usefixtures("folder")
def test_data_on_a_genome() -> None:
    genome = {"genome": "genome.fa"}
    assert arguments("ctcf.bed", "rest.narrowPeak.gz", **genome) == {
        **genome,
        "peaks": {"ctcf": "ctcf.bed", "rest": "rest.narrowPeak.gz"},
    }
    assert arguments("sites.tsv", **genome) == {**genome, "table": "sites.tsv"}
    assert arguments("tracks.tsv", **genome) == {**genome, "targets_table": "tracks.tsv"}
    assert arguments("signal=one.bw", **genome) == {**genome, "bigwigs": {"signal": "one.bw"}}
    assert arguments("contacts.mcool", bin_size=2000, **genome) == {
        **genome,
        "coolers": {"contacts": "contacts.mcool::resolutions/2000"},
    }
    assert arguments("map.cool", "b=contacts.mcool::resolutions/500", bin_size=2000, **genome) == {
        **genome,
        "coolers": {"map": "map.cool", "b": "contacts.mcool::resolutions/500"},
    }
    kinds = {name: choose_data([name], "genome.fa").kind for name in ("ctcf.bed", "sites.tsv", "one.bw", "map.cool")}
    assert kinds == {"ctcf.bed": "labels", "sites.tsv": "labels", "one.bw": "tracks", "map.cool": "contacts"}


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("files", "options", "error", "message"),
    [
        ([], {}, ConfigError, "name at least one data file"),
        (["bound.fa", "one.bw"], {}, ConfigError, r"of one kind: bound.fa \(fasta\), one.bw \(bigwig\)"),
        (["reads.bam"], {}, ConfigError, "reads.bam: the end of its name tells no kind of data"),
        (["none.fa"], {}, InputError, "none.fa: no such file"),
        (["none.xyz"], {}, InputError, "none.xyz: no such file"),
        (["bound.fa", "bound.fa"], {}, ConfigError, "would both be the target 'bound'"),
        (["one.bw"], {}, ConfigError, "one.bw holds places of a genome: add its FASTA file with --genome"),
        (["bound.fa"], {"genome": "genome.fa"}, ConfigError, "leave out --genome"),
        (["one.bw"], {"genome": "g.fa"}, InputError, "g.fa: no such file"),
        (["ctcf.bed"], {"genome": "genome.fa", "negatives": "unbound.fa"}, ConfigError, "goes with FASTA files"),
        (["labels.tsv", "classes.csv.gz"], {}, ConfigError, "one table holds all data"),
        (["labels.tsv"], {"targets": ["weak"]}, InputError, "labels.tsv: no column 'weak'; there are id, seq"),
        (["bound.fa"], {"targets": ["a"]}, ConfigError, "of other data, name their files"),
        (["n=bound.fa"], {"negatives": "n=unbound.fa"}, ConfigError, "are both called 'n': write NAME=FILE"),
    ],
)
def test_what_cannot_be_chosen_is_one_sentence(
    files: list[str], options: dict[str, object], error: type[ZooError], message: str
) -> None:
    with pytest.raises(error, match=message):
        arguments(*files, **options)


@pytest.mark.usefixtures("folder")
def test_a_mistake_in_a_column_does_not_change_what_it_is_for() -> None:
    rows = [["ACGT", split, "1", str(index)] for index, split in enumerate(["train", "train", "val", "test"])]

    def written(line: int, column: int, cell: str) -> str:
        changed = [list(row) for row in rows]
        changed[line][column] = cell
        text = "\n".join("\t".join(row) for row in [["sequence", "set", "a", "b"], *changed])
        Path("one.tsv").write_text(f"{text}\n")
        return "one.tsv"

    for cell in ("", "heldout"):
        chosen = arguments(written(2, 1, cell))
        assert chosen["split_column"] == "set"
        with pytest.raises(InputError, match=f"one.tsv, line 4: the split '{cell}' is none of"):
            SequenceDataModule(**chosen).read()  # type: ignore[arg-type]
    for cell in ("n.d.", "1,5"):
        chosen = arguments(written(3, 3, cell))
        assert chosen["label_columns"] == ["a", "b"]
        with pytest.raises(InputError, match=f"one.tsv, line 5: the label '{cell}' in 'b' is not a number"):
            SequenceDataModule(**chosen).read()  # type: ignore[arg-type]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("name", ["", "Unnamed: 0"])
def test_row_numbers_of_pandas_are_no_label_and_what_is_not_used_is_told(name: str) -> None:
    Path("pandas.tsv").write_text(f"{name}\tsequence\ta\tnote\n0\tACGT\t0.5\tx\n1\tACGA\t2\ty\n")
    choice = choose_data(["pandas.tsv"])
    assert choice.init_args["label_columns"] == ["a"]
    assert f"not used: the columns {name!r}, 'note', which hold no labels" in choice.reasons


@pytest.mark.usefixtures("folder")
def test_a_name_with_an_equals_sign_is_a_path_where_that_exists() -> None:
    Path("x=y.fa").write_text(">a\nACGT\n")
    assert arguments("x=y.fa")["fasta"] == {"x=y": "x=y.fa"}
    assert arguments("z=x=y.fa")["fasta"] == {"z": "x=y.fa"}


@pytest.mark.usefixtures("folder")
def test_tracks_whose_names_say_so_are_strands() -> None:
    for name in ("plus.bw", "minus.bw"):
        Path(name).touch()
    choice = choose_data(["cage_plus=plus.bw", "cage_minus=minus.bw", "one.bw"], genome="genome.fa")
    assert choice.reasons == ["strands: cage_minus and cage_plus, by their names"]
    tracks = tracks_of(choice.init_args["bigwigs"])
    assert strand_pairs(tracks) == [1, 0, 2]


@pytest.mark.parametrize(
    ("names", "partners"),
    [
        (["plus", "minus"], {"plus": "minus", "minus": "plus"}),
        (["A.Fwd", "a.rev", "b.fwd"], {"A.Fwd": "a.rev", "a.rev": "A.Fwd"}),
        (["surplus", "surminus", "1plus", "x_pos", "y_neg", "other"], {}),
    ],
)
def test_partners_differ_in_the_last_word_alone(names: list[str], partners: dict[str, str]) -> None:
    assert strand_partners(names) == partners


def test_a_table_without_numbers_is_refused(folder: Path) -> None:
    (folder / "plain.tsv").write_text("name\tsequence\tnote\na\tACGT\tgood\n")
    with pytest.raises(
        InputError,
        match=r"no column of numbers that could be labels .*; its columns are name, sequence",
    ):
        arguments("plain.tsv")
