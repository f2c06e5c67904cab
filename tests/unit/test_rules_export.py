"""`cexwatch rules export`: the same rules with links of one's own, and everything that belongs beside them."""

import re
import tomllib
from pathlib import Path

from typer.testing import CliRunner

from monitor.cli.program import app
from monitor.cli.ruling import write

ROOT = Path(__file__).parents[2]
RULES = ROOT / "dashboards" / "rules" / "cexwatch.rules.yml"
PAGES = ROOT / "docs" / "runbooks"


def exported(*options: str) -> str:
    run = CliRunner().invoke(app, ["rules", "export", *options])
    assert run.exit_code == 0, run.output
    return run.output


def test_without_options_the_rules_are_printed_as_they_ship() -> None:
    assert exported() == RULES.read_text()


def test_your_own_links_stand_in_them() -> None:
    text = exported("--runbooks", "https://wiki.example.net/cexwatch/", "--dashboards", "https://grafana.example.net")

    links = re.findall(r"(?:runbook|dashboard)_url: (.*)/", text)
    assert set(links) == {"https://wiki.example.net/cexwatch", "https://grafana.example.net/d"}
    assert re.sub("_url: .*", "", text) == re.sub("_url: .*", "", RULES.read_text()), "nothing else changes"


def test_a_folder_has_the_rules_with_your_links(tmp_path: Path) -> None:
    exported("--out", str(tmp_path / "rules"), "--runbooks", "https://wiki.example.net")

    text = (tmp_path / "rules" / RULES.name).read_text()
    assert "runbook_url: https://wiki.example.net/CexwatchDown.md\n" in text


def test_a_folder_that_cannot_be_written_is_told_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")

    run = CliRunner().invoke(app, ["rules", "export", "--out", str(tmp_path / "taken")])

    assert run.exit_code != 0
    assert "Traceback" not in run.output
    assert "cexwatch: " in run.output


def test_export_writes_what_is_needed_and_leaves_your_routes_alone(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "rules"
    write(RULES.read_text(), folder)
    (folder / "alertmanager.yml").write_text("route: {receiver: ours}\n")
    (folder / RULES.name).write_text("groups: []\n")

    write(RULES.read_text(), folder)

    assert (folder / RULES.name).read_text() == RULES.read_text()
    assert (folder / "alertmanager.yml").read_text() == "route: {receiver: ours}\n"
    assert {page.name for page in (folder / "runbooks").iterdir()} == {page.name for page in PAGES.iterdir()}


def test_the_wheel_and_the_image_carry_them() -> None:
    built = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    image = (ROOT / "Dockerfile").read_text()

    for folder, place in built["force-include"].items():
        assert (ROOT / folder).is_dir()
        assert place == f"monitor/shipped/{folder}"
        assert f"COPY {folder} /opt/cexwatch/app/{place}\n" in image
        assert f"!{folder}\n" in (ROOT / ".dockerignore").read_text()
