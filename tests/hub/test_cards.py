"""Cards and README say what is true now."""

import json
import re
import shlex
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made.doc_commands import check_command, commands, python_blocks
from markdown_it import MarkdownIt

import zoo
from zoo.cli import build_parser, main
from zoo.commands.predict.options import kind_of, kind_parser
from zoo.hub.card_edit import state_facts
from zoo.hub.cards import (
    checkpoint_folders,
    describe,
    is_rendered,
    read_notes,
    render_card,
    render_cards,
)
from zoo.hub.config import parse_config, read_config
from zoo.hub.facts import ModelFacts
from zoo.hub.markdown import in_line
from zoo.training.card_text import CardText

ROOT = Path(__file__).parents[2]
FOLDERS = checkpoint_folders()
README = (ROOT / "README.md").read_text()


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_card_is_what_its_facts_render(folder: Path) -> None:
    text = (folder / "README.md").read_text()
    assert text == render_card(read_config(folder), (folder / "targets.tsv").read_text())
    scores = read_config(folder).facts.training.metrics["test"].values()
    assert all(f"{score:.4f}" in text for score in scores)


def test_a_model_of_a_user_claims_no_licence_or_source_of_this_project() -> None:
    shipped = read_config(FOLDERS[0])
    facts = shipped.facts
    assert (facts.licence, facts.source) == ("Apache-2.0", "this project")
    new = ModelFacts("mlp.mine", "Mine", run=facts.run, output="labels", targets=("a",), input="9 bp of DNA")
    text = render_card(replace(shipped, facts=new), "name\tdescription\na\tone\n")
    assert "\nlicense: unknown\n" in text
    assert "| licence | not stated |\n| source | not stated |" in text
    assert "zoo predict mlp.mine sequences.fa -o predictions.tsv\n```\n" in text
    assert "The name is known in the folder" in text
    assert "this project" not in text
    assert (CardText().licence, CardText().source) == ("not stated", "not stated")
    given = replace(new, licence="MIT", source="My laboratory")
    text = render_card(replace(shipped, facts=given), "name\tdescription\na\tone\n")
    assert "\nlicense: mit\n" in text
    assert "| source | My laboratory |" in text


def test_the_page_of_all_cards_is_up_to_date() -> None:
    page = ROOT / "MODEL_CARDS.md"
    assert page.read_text() == render_cards(page)[page]


@pytest.mark.parametrize("command", sorted({c for f in FOLDERS for c in commands((f / "README.md").read_text())}))
def test_a_card_s_command_is_one_that_the_command_line_knows(command: str) -> None:
    words = shlex.split(command)[1:]
    options, rest = build_parser().parse_known_args(words)
    if options.verb == "predict":
        kind_parser(kind_of(rest[0])).parse_args(words[1:])
    elif options.verb == "verify":
        assert (ROOT / "checkpoints" / options.names[0]).is_dir()
    else:
        assert options.verb == "train"
        assert (ROOT / options.config).is_file()


@pytest.mark.parametrize("command", commands(README))
def test_a_readme_command_is_one_that_the_command_line_knows(command: str) -> None:
    check_command(command, README)


@pytest.mark.public_data
@pytest.mark.parametrize("command", [c for c in commands(README) if "D00" in c and c.startswith("zoo ")])
def test_a_readme_command_that_needs_public_files_runs(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["example"]) == 0
    words = [str(tmp_path / w) if w.endswith(".tsv") else w for w in shlex.split(command.split("|")[0])[1:]]
    assert main(words) == 0


@pytest.mark.parametrize("code", python_blocks(README))
def test_python_of_the_readme_runs(code: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["example"]) == 0
    names: dict[str, Any] = {}
    exec(code, names)
    if "trainer" in names:
        assert [tuple(batch.shape) for batch in names["probabilities"]] == [(4, 1)]
        assert len(names["embedding"]) == 4
        assert (tmp_path / "mine.ckpt").is_file()
    elif "session" in names:
        expected = zoo.predict("deepbind.encode_usf1_h1hesc", "GTCACGTGAC" * 10 + "A").to_numpy()
        np.testing.assert_allclose(names["probabilities"], expected, atol=1e-4)
    else:
        assert (tmp_path / "predictions.tsv").read_text().startswith("chrom\tstart\tend\tname\t")


@pytest.mark.parametrize("count", [1, 2, 100, 101])
def test_scores_of_each_target_are_shown_or_summed_up_where_they_are_many(tiny_checkpoint: Path, count: int) -> None:
    config = json.loads((tiny_checkpoint / "mlp.tiny" / "config.json").read_text())
    config["arguments"]["targets"] = [f"t{index}" for index in range(count)]
    config["run"]["target_metrics"] = {"auroc": [None, *(index / 100 for index in range(1, count))]}
    card = render_card(parse_config(config, "config.json"), "name\nt0\n")
    assert ("| t0 |  |" in card) == (2 <= count <= 100)
    assert ("| t1 | 0.0100 |" in card) == (2 <= count <= 100)
    quarters = ["| minimum | 0.0100 |", "| lower quartile | 0.2600 |", "| median | 0.5100 |", "| maximum | 1.0000 |"]
    assert [line in card for line in quarters] == [count == 101] * 4


def test_facts_cannot_add_sections_cells_or_blocks(tiny_checkpoint: Path) -> None:
    folder = tiny_checkpoint / "mlp.tiny"
    config, targets = read_config(folder), (folder / "targets.tsv").read_text()
    trap = "a\n## How to use\n```\nrm -rf ~\n```\n| b | c |\n"
    run = replace(config.facts.training, command=trap, hardware=trap, data=[trap], files={trap: "0" * 64})
    texts: dict[str, Any] = dict.fromkeys(
        ("summary", "species", "assay", "cell_type", "source", "use", "limits", "data"), trap
    )
    trapped = replace(config, facts=replace(config.facts, run=run, citation=f"@misc{{x}}\n```\n{trap}", **texts))
    plain = replace(config, facts=replace(config.facts, run=replace(run, files={"a": "0" * 64}), citation="@misc{x}"))

    def marks(text: str) -> list[str]:
        return [line[:3] for line in text.splitlines() if line.startswith(("#", "```", "---"))]

    card = render_card(trapped, targets)
    cited = card.split("```bibtex")[1].split("```")[0]
    assert "## How to use" in cited  # text of a block, which ends where it should
    without = card.replace(cited, "\n@misc{x}\n")
    assert marks(without) == marks(render_card(plain, targets))
    rows = [line for line in without.splitlines() if line.startswith("| species")]
    assert rows == ["| species | a ## How to use ``` rm -rf ~ ``` \\| b \\| c \\| |"]


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_text_that_a_person_adds_is_kept(ends: str, tiny_checkpoint: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_checkpoint / "mlp.tiny", tmp_path / "mlp.tiny")
    assert not is_rendered(folder) or read_notes(folder) == ""
    text = (folder / "README.md").read_text() + "\n## Notes\n\nMine.\n"
    (folder / "README.md").write_bytes(text.replace("\n", ends).encode())
    for _ in range(2):
        state_facts(folder, {"limits": f"A toy. {text.splitlines()[-5]}"})
        assert read_notes(folder) == "\n## Notes\n\nMine.\n"
    assert (folder / "README.md").read_text().endswith("\n\n## Notes\n\nMine.\n")
    assert "## Notes" in describe(f"local-dir:{folder}")


@pytest.mark.parametrize("start", ["", "\\", "\\\\", "\\\\\\", "a\\"])
@pytest.mark.parametrize("tag", ["<script>", "</td>", "<!-- x -->", "<?x?>", "<img src=x>", "<https://a.b>"])
def test_texts_of_a_card_hold_no_html_also_where_it_is_allowed(start: str, tag: str) -> None:
    html = MarkdownIt("commonmark").render(in_line(f"x {start}{tag} y"))
    assert re.findall("<[^>]*>", html) == ["<p>", "</p>"], html


def test_numbers_below_others_are_written_as_they_are() -> None:
    assert in_line("p < 0.05 and\n5<6, q <0.1") == "p < 0.05 and 5<6, q <0.1"
