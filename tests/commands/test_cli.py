"""The command line: what each verb prints, from which inputs, and how fast it answers."""

import gc
import gzip
import io
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import zoo.hub.load
from zoo.cli import main
from zoo.inference.labels import predict_sequences

Run = Callable[..., tuple[int, str, str]]

VERBS = (
    "list",
    "info",
    "predict",
    "train",
    "check",
    "config",
    "example",
    "verify",
    "data",
    "benchmark",
    "card",
    "completion",
)
KNOWN = ["species", "cell_type", "assay", "bases", "metric", "licence", "source"]
NAMES = ["one", "two", "three"]
SEQUENCES = ["ACGTACGTACGTACGTACGT", "GATTACAGATTACAGATTAC", "TTTTTNNNNNCCCCCGGGGG"]
GENOME = "N" * 5 + SEQUENCES[0] + SEQUENCES[1] + SEQUENCES[2] + "N" * 5


def subprocess_zoo(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "zoo.cli", *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, check=False)


@pytest.fixture
def mlp(tiny_checkpoint: Path) -> str:
    return f"local-dir:{tiny_checkpoint / 'mlp.tiny'}"


@pytest.fixture
def expected(mlp: str) -> str:
    return as_table(mlp, NAMES, SEQUENCES)


def as_table(model: str, names: list[str], sequences: list[str]) -> str:
    values = predict_sequences(zoo.hub.load.load(model), sequences).values
    rows = ["\t".join([name, *(f"{value:.7g}" for value in row)]) for name, row in zip(names, values, strict=True)]
    return "\n".join(["name\tfirst\tsecond", *rows]) + "\n"


def as_sites(model: str, sites: list[str], sequences: list[str]) -> str:
    """The table of sites, given as `chrom start end name`."""
    _, *rows = as_table(model, ["x"] * len(sites), sequences).splitlines()
    cells = ["\t".join([*site.split(), row.split("\t", 1)[1]]) for site, row in zip(sites, rows, strict=True)]
    return "\n".join(["chrom\tstart\tend\tname\tfirst\tsecond", *cells]) + "\n"


def feed(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.BufferedReader(io.BytesIO(content))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(stream))


@pytest.mark.parametrize("verb", ["", *VERBS])
def test_help_of_every_verb_works(verb: str, run_zoo: Run) -> None:
    code, out, err = run_zoo(*([verb] if verb else []), "--help")
    assert (code, err) == (0, "")
    assert out.startswith(f"usage: zoo {verb}".rstrip())
    assert all(name in out for name in VERBS) or verb


def test_list_is_a_table_of_all_models(run_zoo: Run) -> None:
    code, out, err = run_zoo("list")
    header, *rows = [line.split("\t") for line in out.splitlines()]
    assert (code, err) == (0, "")
    assert header == ["name", "output", "targets", *KNOWN]
    assert len(rows) >= 927
    assert {len(row) for row in rows} == {len(header)}


def test_list_narrows_by_pattern_text_and_species(run_zoo: Run) -> None:
    names = [
        {line.split("\t")[0] for line in run_zoo("list", *options)[1].splitlines()[1:]}
        for options in (["deepbind.D00328.*"], ["*.D*", "--search", "ctcfl"], ["deepbind.D*", "--species", "yeast"])
    ]
    assert names[0] == {"deepbind.D00328.003", "deepbind.D00328.018"}
    assert names[1] == {"deepbind.D00753.001"}
    assert len(names[2]) == 4


def test_info_says_what_is_known_of_a_published_model(run_zoo: Run) -> None:
    code, out, err = run_zoo("info", "deepbind.D00328.003")
    assert (code, err) == (0, "")
    assert out.startswith("# deepbind.D00328.003\n")
    for fact in ("CTCF", "Homo sapiens", "BSD-3-Clause", "Alipanahi 2015"):
        assert fact in out


def test_info_of_a_folder_is_its_card(mlp: str, run_zoo: Run) -> None:
    code, out, _ = run_zoo("info", mlp)
    assert code == 0
    assert out.startswith("# mlp.tiny\n")
    assert "Says nothing of biology" in out


def test_info_of_every_shipped_checkpoint_begins_with_its_name(run_zoo: Run) -> None:
    from zoo.hub.registry import list_models

    for entry in list_models():
        if entry.source == "this project":
            code, out, _ = run_zoo("info", entry.name)
            assert code == 0
            assert out.startswith(f"# {entry.name}\n")


def test_verify_says_how_close_each_model_came(tiny_checkpoint: Path, run_zoo: Run) -> None:
    names = [f"local-dir:{tiny_checkpoint / name}" for name in ("mlp.tiny", "deepbind.tiny")]
    code, out, err = run_zoo("verify", *names)
    assert (code, err) == (0, "")
    assert [line.split(": 4 stored predictions reproduced")[0] for line in out.splitlines()] == names


def test_data_list_names_the_sets(run_zoo: Run) -> None:
    code, out, _ = run_zoo("data", "list")
    assert code == 0
    assert {"promoters", "encode_tf"} <= {line.split("\t")[0] for line in out.splitlines()}


def test_card_renders_all_checkpoints_and_check_finds_an_old_one(
    tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_zoo: Run
) -> None:
    copied = shutil.copytree(tiny_checkpoint, tmp_path / "checkpoints")
    monkeypatch.setattr("zoo.hub.cards.shipped_folder", lambda _: copied)
    monkeypatch.chdir(tmp_path)
    assert run_zoo("card") == (0, "", "")
    text = Path("MODEL_CARDS.md").read_text()
    assert text.count("\n## ") == 2
    row = "| [mlp.tiny](#mlptiny) | Random weights of mlp.tiny | Homo sapiens | 20 bp of DNA | 2 | test AUROC 0.5000 |"
    assert f"{row} not stated | 0.0 MB |" in text
    assert run_zoo("card", "--check") == (0, "", "")
    Path("MODEL_CARDS.md").write_text(text + "by hand\n")
    code, _, err = run_zoo("card", "--check")
    assert (code, err.count("\n")) == (2, 1)
    assert "zoo card" in err
    assert Path("MODEL_CARDS.md").read_text() == text + "by hand\n"


def test_card_renders_a_checkpoint_as_saving_it_did(
    tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_zoo: Run
) -> None:
    copied = shutil.copytree(tiny_checkpoint, tmp_path / "checkpoints")
    monkeypatch.setattr("zoo.hub.cards.shipped_folder", lambda _: copied)
    cards = [copied / name / "README.md" for name in ("mlp.tiny", "deepbind.tiny")]
    before = [card.read_text() for card in cards]
    cards[0].write_text("by hand\n")
    assert run_zoo("card", "-o", str(tmp_path / "cards.md"), "--check")[0] == 2
    assert run_zoo("card", "-o", str(tmp_path / "cards.md")) == (0, "", "")
    assert [card.read_text() for card in cards] == before


FASTA = "".join(f">{name} more words\n{s[:7]}\r\n{s[7:].lower()}\n" for name, s in zip(NAMES, SEQUENCES, strict=True))
TSV = "id\tother\tsequence\n" + "".join(f"{n}\t1\t{s}\n" for n, s in zip(NAMES, SEQUENCES, strict=True))
CSV = "Seq,name\n" + "".join(f'{s},"{n}"\n' for n, s in zip(NAMES, SEQUENCES, strict=True))
LINES = "\n".join(SEQUENCES) + "\n"


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("text", [FASTA, TSV, CSV, LINES], ids=["FASTA", "TSV", "CSV", "lines"])
@pytest.mark.parametrize("standard_input", [False, True])
def test_predict_reads_every_format(
    text: str,
    zipped: bool,
    standard_input: bool,
    mlp: str,
    expected: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    run_zoo: Run,
) -> None:
    content = gzip.compress(text.encode()) if zipped else text.encode()
    path = tmp_path / "input"
    path.write_bytes(content)
    feed(content, monkeypatch)
    code, out, err = run_zoo("predict", mlp, "-" if standard_input else str(path))
    assert (code, err) == (0, "")
    if text is LINES:
        for number, name in enumerate(NAMES, 1):
            expected = expected.replace(f"\n{name}\t", f"\nsequence_{number}\t")
    assert out == expected


def test_predict_takes_the_column_that_is_named(mlp: str, expected: str, tmp_path: Path, run_zoo: Run) -> None:
    (tmp_path / "in.tsv").write_text(TSV.replace("sequence", "dna"))
    code, out, err = run_zoo("predict", mlp, str(tmp_path / "in.tsv"), "--sequence-column", "dna", "--batch-size", "2")
    assert (code, out, err) == (0, expected, "")


@pytest.mark.parametrize("order", ["NAME IN -o OUT", "NAME -o OUT IN", "-o OUT NAME --batch-size 2 IN"])
def test_options_may_stand_between_the_words(mlp: str, expected: str, order: str, tmp_path: Path, run_zoo: Run) -> None:
    (tmp_path / "in.fa").write_text(FASTA)
    words = {"NAME": mlp, "IN": str(tmp_path / "in.fa"), "OUT": str(tmp_path / "out.tsv")}
    code, _, err = run_zoo("predict", *(words.get(word, word) for word in order.split()))
    assert code == 0, err
    assert (tmp_path / "out.tsv").read_text() == expected


def test_predict_writes_a_file_and_says_so_on_standard_error(
    mlp: str, expected: str, tmp_path: Path, run_zoo: Run
) -> None:
    (tmp_path / "in.fa").write_text(FASTA)
    code, out, err = run_zoo("predict", mlp, str(tmp_path / "in.fa"), "-o", str(tmp_path / "out.tsv"))
    assert (code, out) == (0, "")
    assert err == f"{tmp_path / 'out.tsv'}: 3 sequences, 2 targets\n"
    assert (tmp_path / "out.tsv").read_text() == expected


def test_predict_does_not_write_over_its_input(mlp: str, tmp_path: Path, run_zoo: Run) -> None:
    (tmp_path / "in.fa").write_text(FASTA)
    before = (tmp_path / "in.fa").read_bytes()
    code, _, err = run_zoo("predict", mlp, str(tmp_path / "in.fa"), "-o", f"{tmp_path}/../{tmp_path.name}/in.fa")
    assert (code, "is one of the files to be read" in err, err.count("\n")) == (2, True, 1)
    assert (tmp_path / "in.fa").read_bytes() == before


def test_letters_read_as_n_are_noted_once(mlp: str, tmp_path: Path, run_zoo: Run) -> None:
    (tmp_path / "in.fa").write_text(FASTA.replace("NN", "RY"))
    code, _, err = run_zoo("predict", mlp, str(tmp_path / "in.fa"))
    assert code == 0
    assert err.count("\n") == 1
    assert "2 IUPAC letters" in err


@pytest.fixture
def genome(tmp_path: Path) -> Path:
    path = tmp_path / "genome.fa"
    path.write_text(f">chr1 of tests\n{GENOME[:30]}\n{GENOME[30:60]}\n{GENOME[60:]}\n>chrM\n{'ACGT' * 7}\n")
    return path


@pytest.mark.parametrize("zipped", [False, True])
def test_predict_reads_intervals_of_a_genome(
    zipped: bool, mlp: str, genome: Path, tmp_path: Path, run_zoo: Run
) -> None:
    bed = "track name=x\n# comment\nchr1\t5\t25\tone\t0\t.\nchr1\t25\t45\ttwo\t0\t+\nchr1\t45\t65\tthree\t0\t.\n"
    path = tmp_path / ("peaks.bed.gz" if zipped else "peaks.bed")
    path.write_bytes(gzip.compress(bed.encode()) if zipped else bed.encode())
    code, out, err = run_zoo("predict", mlp, str(path), "--genome", str(genome))
    sites = ["chr1 5 25 one", "chr1 25 45 two", "chr1 45 65 three"]
    assert (code, out, err) == (0, as_sites(mlp, sites, SEQUENCES), "")


def test_predict_reads_intervals_from_standard_input(
    mlp: str, genome: Path, monkeypatch: pytest.MonkeyPatch, run_zoo: Run
) -> None:
    feed(b"chr1\t5\t25\tone\n", monkeypatch)
    code, out, err = run_zoo("predict", mlp, "-", "--genome", str(genome))
    assert (code, out, err) == (0, as_sites(mlp, ["chr1 5 25 one"], SEQUENCES[:1]), "")


def test_an_interval_without_name_is_called_by_its_place(mlp: str, genome: Path, tmp_path: Path, run_zoo: Run) -> None:
    (tmp_path / "peaks.bed").write_text("chr1\t5\t25\t.\t0\t.\nchr1\t5\t25\t.\t0\t-\n")
    code, out, _ = run_zoo("predict", mlp, str(tmp_path / "peaks.bed"), "--genome", str(genome))
    assert code == 0
    assert [line.split("\t")[3] for line in out.splitlines()[1:]] == ["chr1:5-25", "chr1:5-25(-)"]


def test_the_minus_strand_is_read_in_its_own_direction(mlp: str, genome: Path, tmp_path: Path, run_zoo: Run) -> None:
    (tmp_path / "peaks.bed").write_text("chr1\t25\t45\tname\t0\t-\n")
    _, out, _ = run_zoo("predict", mlp, str(tmp_path / "peaks.bed"), "--genome", str(genome))
    assert out == as_sites(mlp, ["chr1 25 45 name"], ["GTAATCTGTAATCTGTAATC"])
    assert out != as_sites(mlp, ["chr1 25 45 name"], [SEQUENCES[1]])


def test_resize_takes_the_models_length_around_the_centre(mlp: str, genome: Path, tmp_path: Path, run_zoo: Run) -> None:
    (tmp_path / "peaks.bed").write_text("chr1\t20\t50\ttwo\nchr1\t34\t36\ttwo\nchr1\t0\t4\tedge\n")
    code, out, err = run_zoo("predict", mlp, str(tmp_path / "peaks.bed"), "--genome", str(genome), "--resize")
    edge = "N" * 13 + SEQUENCES[0][:7]
    assert code == 0
    assert err.splitlines() == [
        "zoo: 1 window reaches past the end of the contig; what lies outside is read as N",
        f"zoo: {tmp_path / 'peaks.bed'}: of 3 intervals, 1 was cut and 2 were extended along the genome to the 20 "
        "bases around the centre",
    ]
    assert out == as_sites(
        mlp, ["chr1 20 50 two", "chr1 34 36 two", "chr1 0 4 edge"], [SEQUENCES[1], SEQUENCES[1], edge]
    )


def test_a_renamed_contig_is_noted_once(mlp: str, genome: Path, tmp_path: Path, run_zoo: Run) -> None:
    (tmp_path / "peaks.bed").write_text("1\t5\t25\tone\n1\t25\t45\ttwo\nMT\t0\t20\tthree\n")
    code, out, err = run_zoo("predict", mlp, str(tmp_path / "peaks.bed"), "--genome", str(genome))
    assert code == 0
    assert out == as_sites(mlp, ["1 5 25 one", "1 25 45 two", "MT 0 20 three"], [*SEQUENCES[:2], ("ACGT" * 7)[:20]])
    assert err.splitlines() == [
        f"zoo: the contig 1 is chr1 in {genome}",
        f"zoo: the contig MT is chrM in {genome}",
    ]


def test_a_scanning_model_takes_every_length(tiny_checkpoint: Path, tmp_path: Path, run_zoo: Run) -> None:
    name = f"local-dir:{tiny_checkpoint / 'deepbind.tiny'}"
    sequences = ["A", "ACGTN" * 3, SEQUENCES[0], "".join(SEQUENCES)]
    (tmp_path / "in.txt").write_text("\n".join(sequences))
    code, out, _ = run_zoo("predict", name, str(tmp_path / "in.txt"))
    assert code == 0
    values = np.array([line.split("\t")[1:] for line in out.splitlines()[1:]], dtype=float)
    np.testing.assert_allclose(values, predict_sequences(zoo.hub.load.load(name), sequences).values, atol=1e-5)


@pytest.mark.slow
def test_a_subprocess_predicts_the_same_from_standard_input(mlp: str, expected: str) -> None:
    done = subprocess_zoo("predict", mlp, "-", stdin=FASTA.encode())
    assert (done.returncode, done.stderr.decode()) == (0, "")
    assert done.stdout.decode() == expected


@pytest.mark.parametrize("command", [["list"], ["info", "deepbind.D00328.003"], ["data", "list"]])
def test_what_needs_no_model_imports_no_torch(command: list[str]) -> None:
    script = (
        "import sys, zoo; from zoo.cli import main; code = main(sys.argv[1:]); "
        "heavy = {'torch', 'lightning', 'numpy', 'huggingface_hub'} & set(sys.modules); "
        "sys.exit(f'{code} {heavy}' if code or heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", script, *command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_list_answers_in_under_two_seconds() -> None:
    seconds = []
    for _ in range(3):  # machines are noisy
        started = time.monotonic()
        assert subprocess_zoo("list").returncode == 0
        seconds.append(time.monotonic() - started)
    assert min(seconds) < 2


def test_only_a_process_of_a_command_collects_garbage_less_often(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = gc.get_threshold()
    assert main(["list"]) == 0
    assert gc.get_threshold() == before
    monkeypatch.setattr(sys, "argv", ["zoo", "list"])
    try:
        assert main() == 0
        assert gc.get_threshold() > before
        assert gc.isenabled()
    finally:
        gc.set_threshold(*before)
    listed = capsys.readouterr().out
    assert listed[: len(listed) // 2] * 2 == listed


def test_an_error_in_a_subprocess_is_one_line_and_exit_code_2() -> None:
    done = subprocess_zoo("info", "deepbind.D00328.004")
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"zoo: ")
    assert done.stderr.count(b"\n") == 1


def test_an_output_that_closes_early_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "zoo.cli", "list"]
    try:
        done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False)
    finally:
        os.close(writing)
    assert done.stderr == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_an_output_on_a_full_disk_is_one_line_and_exit_code_2() -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "zoo.cli", "list"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[0].startswith("zoo: ")
    assert "No space left on device" in done.stderr
    assert done.returncode == 2


@pytest.mark.skipif(
    shutil.which("zoo", path=Path(sys.executable).parent) is None, reason="the package is not installed"
)
def test_the_installed_command_is_this_one() -> None:
    command = [str(Path(sys.executable).parent / "zoo"), "list", "deepbind.D00328.003"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stdout.splitlines()[1].startswith("deepbind.D00328.003\tlabels\tCTCF\t")


def test_a_model_of_many_targets_is_listed_with_their_number_and_described_with_all(run_zoo: Run) -> None:
    code, out, _ = run_zoo("list", "basset.dnase164")
    assert code == 0
    assert "8988T, AoSMC, Chorion, CLL, ... (164)" in out
    code, out, _ = run_zoo("info", "basset.dnase164")
    assert code == 0
    assert "GM12878" in out
    assert "has not been run on the real file" in out
