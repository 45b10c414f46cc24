"""A case for every argument of the verbs that publish: `card` and `push`."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from commands.desk import Desk, case
from made.hub import Hub, running

MODEL = "mlp.labels"
FACTS = ("summary", "species", "assay", "cell-type", "licence", "source", "use", "limits", "data", "citation")


def own_cards(desk: Desk) -> None:
    folder = Path(desk.made.models["labels"].removeprefix("local-dir:"))
    shutil.copytree(folder, Path("checkpoints") / folder.name)
    desk.monkeypatch.setattr("zoo.hub.registry.shipped_folder", lambda name: Path(name).resolve())
    desk.monkeypatch.setattr("zoo.hub.cards.shipped_folder", lambda name: Path(name).resolve())


@case("--output", "card")
def output_is_the_page_of_cards(desk: Desk) -> None:
    own_cards(desk)
    desk.run("card", "-o", "page.md")
    assert "mlp.labels" in Path("page.md").read_text()
    assert not Path("MODEL_CARDS.md").exists()


@case("--check", "card")
def check_writes_nothing(desk: Desk) -> None:
    own_cards(desk)
    assert "MODEL_CARDS.md" in desk.refused("card", "--check")
    desk.run("card")
    desk.run("card", "--check")


@case("name", "card")
def name_is_the_model_whose_card_is_rendered(desk: Desk) -> None:
    own_cards(desk)
    card = Path("checkpoints", MODEL, "README.md")
    card.write_text("old")
    assert f"run `zoo card {MODEL}`" in desk.refused("card", MODEL, "--check")
    assert "0 facts stated" in desk.run("card", MODEL)
    assert card.read_text().startswith("---\nlicense: ")
    assert "name the model whose card that is" in desk.refused("card", "--use", "x")
    assert "leave NAME out" in desk.refused("card", MODEL, "-o", "page.md")


def stated(desk: Desk, fact: str) -> None:
    own_cards(desk)
    desk.run("card", MODEL, f"--{fact}", "Something new")
    assert json.loads(Path("checkpoints", MODEL, "config.json").read_text())[fact.replace("-", "_")] == "Something new"
    assert "Something new" in Path("checkpoints", MODEL, "README.md").read_text()
    desk.run("verify", f"local-dir:checkpoints/{MODEL}")


for name in FACTS:
    case(f"--{name}", "card")(lambda desk, fact=name: stated(desk, fact))


@case("--datasets", "card")
def datasets_are_ids_of_the_hub(desk: Desk) -> None:
    own_cards(desk)
    desk.run("card", MODEL, "--datasets", "lab/peaks", "lab/more")
    assert "\ndatasets:\n- lab/peaks\n- lab/more\n" in Path("checkpoints", MODEL, "README.md").read_text()
    assert "ids of the Hugging Face Hub" in desk.refused("card", MODEL, "--datasets", "peaks")


@contextmanager
def publishing(desk: Desk) -> Iterator[Hub]:
    """A Hub, and a checkpoint that is fit to be published there."""
    own_cards(desk)
    words = [word for fact in FACTS for word in (f"--{fact}", "Something")]
    desk.run("card", MODEL, *words, "--licence", "MIT")
    rows = Path("checkpoints", MODEL, "targets.tsv").read_text().splitlines()
    assert all(row.split("\t")[1] and row.split("\t")[2] for row in rows)
    desk.monkeypatch.setenv("HF_TOKEN", (hub := Hub()).token)
    Path("pins.json").write_text("{}")
    desk.monkeypatch.setenv("ZOO_PINS", "pins.json")
    with running(hub):
        yield hub


@case("names", "push")
def names_are_the_models_to_publish(desk: Desk) -> None:
    with publishing(desk) as hub:
        desk.run("push", f"local-dir:checkpoints/{MODEL}", "--repo", "lab/x", "--public")
        assert set(hub.repositories) == {"lab/x"}
        assert "name the models to publish" in desk.refused("push", "--org", "lab")


@case("--all", "push")
def all_are_the_shipped_models(desk: Desk) -> None:
    with publishing(desk) as hub:
        desk.run("push", "--all", "--org", "lab", "--public")
        assert set(hub.repositories) == {f"lab/{MODEL}"}
        broken = Path("checkpoints/mlp.broken")
        broken.mkdir()
        (broken / "config.json").write_text("{")
        code, out, err = desk.run_zoo("push", "--all", "--org", "lab", "--public")
        assert (code, out.count("unchanged, v1")) == (2, 1)
        assert err.splitlines()[-1].startswith("zoo: 1 of 2 models cannot be published: local-dir:")


@case("--repo", "push")
def repo_is_the_repository(desk: Desk) -> None:
    names_are_the_models_to_publish(desk)


@case("--org", "push")
def org_holds_a_repository_of_the_model_s_name(desk: Desk) -> None:
    all_are_the_shipped_models(desk)


@case("--private", "push")
def private_is_of_a_new_repository(desk: Desk) -> None:
    with publishing(desk) as hub:
        desk.run("push", MODEL, "--repo", "lab/x", "--private")
        assert hub.repositories["lab/x"].private


@case("--public", "push")
def public_is_of_a_new_repository(desk: Desk) -> None:
    with publishing(desk) as hub:
        assert "add --private or --public" in desk.refused("push", MODEL, "--repo", "lab/x")
        desk.run("push", MODEL, "--repo", "lab/x", "--public")
        assert not hub.repositories["lab/x"].private


@case("--tag", "push")
def tag_names_the_result(desk: Desk) -> None:
    with publishing(desk) as hub:
        desk.run("push", MODEL, "--repo", "lab/x", "--public", "--tag", "paper")
        assert set(hub.repositories["lab/x"].heads) == {"main", "paper"}


@case("--pin", "push")
def pin_lets_the_short_name_stand_for_it(desk: Desk) -> None:
    with publishing(desk) as hub:
        desk.run("push", MODEL, "--repo", "lab/x", "--public", "--pin")
        assert json.loads(Path("pins.json").read_text())[MODEL]["revision"] == hub.repositories["lab/x"].heads["main"]
        assert "unchanged, v1" in desk.run("push", MODEL)  # the repository is the pinned one


@case("--dry-run", "push")
def dry_run_changes_nothing(desk: Desk) -> None:
    with publishing(desk) as hub:
        assert "new repository, v1" in desk.run("push", MODEL, "--repo", "lab/x", "--dry-run")
        assert not hub.repositories
