"""`cexwatch dashboards export` writes what ships, with the reader's own links, and harms nothing that is there."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import TypeVar

import msgspec
from ruamel.yaml import YAML

from monitor.cli.dashboards import PAGE, RUNBOOKS
from monitor.shipped import DASHBOARDS
from tools.boards import grafana

ROOT = Path(__file__).parents[2]
BOARDS = sorted(file.name for file in DASHBOARDS.glob("*.json"))


class Place(msgspec.Struct, forbid_unknown_fields=True):
    path: str


class Provider(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    name: str
    folder: str
    type: str
    disable_deletion: bool
    allow_ui_updates: bool
    options: Place


class Providers(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    api_version: int
    providers: list[Provider]


class Settings(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    time_interval: str


class Source(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    name: str
    uid: str
    type: str
    access: str
    url: str
    is_default: bool
    editable: bool
    json_data: Settings


class Sources(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    api_version: int
    datasources: list[Source]


Told = TypeVar("Told", Providers, Sources)


def read(file: Path, kind: type[Told]) -> Told:
    return msgspec.convert(YAML(typ="safe").load(file), type=kind)


def export(folder: Path, *more: str, root: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """The process of a person: `root` is where the code is, `folder` where the person stands."""
    return subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "monitor", "dashboards", "export", *more],
        cwd=folder,
        env={"PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_links_to_replace_are_those_of_the_boards() -> None:
    assert (PAGE, RUNBOOKS) == (grafana.PAGE, grafana.RUNBOOKS)


def test_all_that_ships_is_written_as_it_is(tmp_path: Path) -> None:
    ended = export(tmp_path)

    written = tmp_path / "dashboards"
    assert ended.returncode == 0, ended.stderr
    assert sorted(file.name for file in written.glob("*.json")) == BOARDS
    for file in (*written.glob("*.json"), *written.rglob("*.yml")):
        assert file.read_bytes() == (DASHBOARDS / file.relative_to(written)).read_bytes()
    assert len(list((written / "provisioning").rglob("*.yml"))) == 2
    assert all(name in ended.stdout for name in BOARDS)


def test_links_become_the_readers_own(tmp_path: Path) -> None:
    ours = 'https://watch.example.com/a"b'
    assert export(tmp_path, "--page", f"{ours}/", "--runbooks", "https://wiki.example.com/r").returncode == 0

    for name in BOARDS:
        text = (tmp_path / "dashboards" / name).read_text()
        board = msgspec.json.decode(text)
        typed = {each["name"]: each["query"] for each in board["templating"]["list"] if each["type"] == "textbox"}
        assert typed == {"page": ours, "runbooks": "https://wiki.example.com/r"}
        assert PAGE not in text
        assert RUNBOOKS not in text


def test_a_second_time_replaces_ours_and_leaves_others(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    assert export(tmp_path, "--out", str(folder)).returncode == 0
    (folder / BOARDS[0]).write_text("old")
    (folder / "own.json").write_text("own")

    assert export(tmp_path, "--out", str(folder)).returncode == 0

    assert (folder / BOARDS[0]).read_bytes() == (DASHBOARDS / BOARDS[0]).read_bytes()
    assert (folder / "own.json").read_text() == "own"


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    ended = export(tmp_path, "--out", str(tmp_path / "file"))

    assert ended.returncode != 0
    assert len(ended.stderr.splitlines()) == 1
    assert str(tmp_path / "file") in ended.stderr


def test_an_installed_package_carries_them_within(tmp_path: Path) -> None:
    """The layout is that of pyproject.toml and of the Dockerfile; no checkout is beside it."""
    packed = "monitor/shipped/dashboards"
    site = tmp_path / "site"
    shutil.copytree(ROOT / "monitor", site / "monitor", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "dashboards", site / packed)

    ended = export(tmp_path, root=site)

    assert ended.returncode == 0, ended.stderr
    assert sorted(file.name for file in (tmp_path / "dashboards").glob("*.json")) == BOARDS
    assert f'"dashboards" = "{packed}"' in (ROOT / "pyproject.toml").read_text()
    assert f"COPY dashboards /opt/cexwatch/app/{packed}\n" in (ROOT / "Dockerfile").read_text()
    assert "!dashboards\n" in (ROOT / ".dockerignore").read_text()


def test_grafana_is_told_to_read_a_folder_and_which_prometheus_to_ask() -> None:
    """Keys and words are those of Grafana's page "Provisioning"."""
    provisioning = DASHBOARDS / "provisioning"
    [provider] = read(provisioning / "dashboards" / "cexwatch.yml", Providers).providers
    [source] = read(provisioning / "datasources" / "prometheus.yml", Sources).datasources

    assert (provider.type, provider.disable_deletion, provider.allow_ui_updates) == ("file", True, False)
    assert Path(provider.options.path).is_absolute()
    assert (source.type, source.is_default, source.json_data.time_interval) == ("prometheus", True, "15s")
    for name in BOARDS:
        first = msgspec.json.decode((DASHBOARDS / name).read_bytes())["templating"]["list"][0]
        assert (first["type"], first["query"]) == ("datasource", source.type)
