"""Two processes predict the bytes of one, for every kind and writer; a bad record or a lost process leaves nothing."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from lightning.fabric.strategies.ddp import DDPStrategy
from made.models import Made, make_files
from made.writers import content_of

from zoo.cli import main
from zoo.errors import ConfigError
from zoo.genome.fasta import Genome
from zoo.genome.intervals import Interval
from zoo.inference.launch import _WatchedStrategy
from zoo.inference.processes import ALONE, count_processes
from zoo.utils.processes import end_all, sentence_on_loss, wait_for_loss

# Runs commands, one to a line of standard input, in each process that torchrun starts.
_COMMANDS = """
import sys
from zoo.cli import main
with open(sys.argv[1]) as file:
    sys.exit(max(main(line.split()) for line in file))
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make_files(tmp_path_factory.mktemp("made"))


def write_sequences(path: Path, count: int, length: int = 20) -> str:
    rng = np.random.default_rng(1)
    lines = ("".join(rng.choice(list("ACGT"), length)) for _ in range(count))
    path.write_text("".join(f">s{number}\n{line}\n" for number, line in enumerate(lines)))
    return str(path)


def write_sites(path: Path, count: int) -> str:
    starts = np.random.default_rng(2).integers(0, 4_900, count)
    path.write_text("".join(f"chr1\t{start}\t{start + 20}\tsite\t0\t{'+-'[start % 2]}\n" for start in starts))
    return str(path)


def write_variants(path: Path, genome: Path, count: int) -> str:
    """Substitutions, deletions and one symbolic allele."""
    bases = Genome(genome).sequence(Interval("chr1", 0, 5_003))
    starts = np.random.default_rng(3).integers(0, 5_000, count).tolist()
    lines = [f"chr1\t{start + 1}\t.\t{bases[start : start + 1 + start % 3]}\t{bases[start + 1]}" for start in starts]
    lines.append(f"chr1\t9\t.\t{bases[8]}\t<DEL>")
    head = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
    path.write_text(head + "".join(f"{line}\t.\t.\t.\n" for line in lines))
    return str(path)


def commands(made: Made, folder: Path) -> list[str]:
    """Every kind and writer; numbers of sequences and windows that two processes do not share evenly."""
    sequences, sites = write_sequences(folder / "s.fa", 23), write_sites(folder / "s.bed", 29)
    longer, genome = write_sequences(folder / "long.fa", 5, 57), str(made.genome)
    variants = write_variants(folder / "v.vcf", made.genome, 37)
    labels, tracks, contacts = (made.models[kind] for kind in ("labels", "tracks", "contacts"))
    with_inputs = {kind: f"{name} {{}} --inputs {made.inputs} --device cpu" for kind, name in made.with_inputs.items()}
    return [
        f"predict {labels} {sequences} -o labels.tsv --batch-size 4",
        f"predict {labels} {sequences} -o labels.parquet --batch-size 5 --targets two",
        f"predict {labels} {longer} -o tiles.csv.gz --tile 7 --batch-size 3",
        f"predict {labels} {longer} -o best.tsv --tile 7 --best --batch-size 3",
        f"predict {labels} {sites} --genome {genome} -o sites.tsv --batch-size 4",
        f"predict {with_inputs['labels'].format(sites)} --genome {genome} -o with_inputs.tsv --batch-size 4",
        f"predict {tracks} {genome} -o tracks --batch-size 3",
        f"predict {with_inputs['tracks'].format(genome)} -o one.bw --batch-size 4 --targets one",
        f"predict {contacts} {genome} -o maps --contigs chr1 chr4",
        f"variants {labels} {variants} --genome {genome} -o variants.tsv --batch-size 4",
        f"variants {tracks} {variants} --genome {genome} -o variants.vcf --batch-size 3 --shifts -1 0 1",
        f"predict {contacts} {genome} -o maps.npz --contigs chr1 --batch-size 2",
    ]


def environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1"}


@pytest.mark.slow
def test_two_processes_write_the_bytes_of_one(made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = commands(made, tmp_path)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    (tmp_path / "run.py").write_text(_COMMANDS)
    (tmp_path / "commands.txt").write_text("\n".join(lines))
    started = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*started, str(tmp_path / "run.py"), str(tmp_path / "commands.txt")],
        cwd=tmp_path / "two", env=environment(), capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    monkeypatch.chdir(tmp_path / "one")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        assert [main(line.split()) for line in lines] == [0] * len(lines)
    finally:
        torch.set_num_threads(threads)
    one, two = (content_of(tmp_path / name) for name in ("one", "two"))
    assert len(one) == 14
    assert one == two
    for line in lines:  # what is said is said once
        assert done.stderr.count(f"{line.split(' -o ')[1].split()[0]}: ") == 1


def start(made: Made, folder: Path, sequences: str) -> list[str]:
    output = str(folder / "out.tsv")
    words = ["predict", made.models["labels"], sequences, "-o", output, "--batch-size", "2", "--device", "cpu"]
    return [sys.executable, "-m", "zoo.cli", *words, "--devices", "2"]


@pytest.mark.slow
def test_a_bad_record_is_one_sentence_and_leaves_nothing(made: Made, tmp_path: Path) -> None:
    sequences = write_sequences(tmp_path / "s.fa", 9)
    with Path(sequences).open("a") as file:
        file.write(">bad\nACGTACGT!CGTACGTACGT\n")
    command = start(made, tmp_path, sequences)
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1, done.stderr
    assert "bad" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["s.fa"]


# The second process ends in its second batch, as if it had been killed.
_LOSES_ONE = """
import os, signal, sys
import zoo.inference.labels as labels
predict = labels.predict_batch
calls = []
def predict_batch(*arguments):
    calls.append(1)
    if os.environ.get("LOCAL_RANK") == "1" and len(calls) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return predict(*arguments)
labels.predict_batch = predict_batch
from zoo.cli import main
sys.exit(main())
"""


# The second process ends as soon as it exists; the first waits for it to connect.
_LOSES_ONE_AT_ONCE = """
import os, signal, sys
if os.environ.get("LOCAL_RANK") == "1":
    os.kill(os.getpid(), signal.SIGKILL)
from zoo.cli import main
sys.exit(main())
"""


@pytest.mark.slow
@pytest.mark.parametrize("script", [_LOSES_ONE, _LOSES_ONE_AT_ONCE], ids=["in a batch", "at the start"])
def test_a_lost_process_is_one_sentence_and_leaves_nothing(script: str, made: Made, tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text(script)
    command = start(made, tmp_path, write_sequences(tmp_path / "s.fa", 21))
    command = [sys.executable, str(tmp_path / "run.py"), *command[3:]]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "zoo: lost process 2 of 2 (killed by SIGKILL), so nothing is written: run the command again; where memory ran "
        "out, with fewer --devices"
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.py", "s.fa"]


def test_a_process_that_is_lost_while_others_connect_ends_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    killed = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    launcher = SimpleNamespace(procs=[killed])
    strategy, ended = _WatchedStrategy(), threading.Event()
    strategy._launcher = launcher  # type: ignore[assignment]
    status: list[int] = []

    def end(code: int) -> None:
        status.append(code)
        ended.set()
        time.sleep(0.5)

    monkeypatch.setattr("zoo.inference.launch.os._exit", end)

    def connect(_: object) -> None:
        assert not launcher.procs  # Lightning watches none
        killed.kill()
        assert ended.wait(30)

    monkeypatch.setattr(DDPStrategy, "setup_environment", connect)
    strategy.setup_environment()
    assert status == [2]
    assert capsys.readouterr().err == f"zoo: {sentence_on_loss('process 2 of 2 (killed by SIGKILL)')}\n"


def test_one_process_computes_every_batch() -> None:
    values = np.ones((2, 3), np.float32)
    assert ALONE.batch((2, 3), lambda: values) is values
    assert list(ALONE.whole(iter("ab"))) == ["a", "b"]


def test_the_number_of_processes_is_that_of_the_option_of_torchrun_or_of_slurm(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (count_processes(None), count_processes(3)) == (1, 3)
    with pytest.raises(ConfigError, match="--devices is a number from 1 up, not 0"):
        count_processes(0)
    with monkeypatch.context() as patch:
        for name, value in {"TORCHELASTIC_RUN_ID": "1", "LOCAL_WORLD_SIZE": "2", "WORLD_SIZE": "6"}.items():
            patch.setenv(name, value)
        assert (count_processes(None), count_processes(2)) == (6, 6)
        with pytest.raises(ConfigError, match="--devices 4, but 2 processes were started on this computer"):
            count_processes(4)
    slurm = {"SLURM_NTASKS": "4", "SLURM_NTASKS_PER_NODE": "2", "SLURM_JOB_NAME": "mine"}
    for name, value in slurm.items():
        monkeypatch.setenv(name, value)
    assert count_processes(None) == 1  # in the script of a job, of which each command is one process
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", "4")
    monkeypatch.setenv("SLURM_STEP_NUM_NODES", "2")
    assert (count_processes(None), count_processes(2)) == (4, 4)


def test_several_processes_do_not_read_standard_input(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", made.models["labels"], "-", "--devices", "2"]) == 2
    message = "zoo: --devices is for a file as INPUT, which each process reads, not for standard input\n"
    assert capsys.readouterr().err == message
    words = ["predict", made.models["tracks"], str(made.genome), "-o", "x", "--devices", "2", "--device", "cpu:0"]
    assert main(words) == 2
    assert "leave out its number" in capsys.readouterr().err


def test_a_lost_process_is_called_by_its_number() -> None:
    killed = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    assert wait_for_loss([killed]) == ""
    end_all([killed])
    assert wait_for_loss([killed], 10) == "process 2 of 2 (killed by SIGKILL)"
