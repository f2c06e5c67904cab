"""What the Dockerfile promises, as far as it shows without a container engine: its own build steps run in a folder."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path, PurePosixPath

import msgspec
import pytest

from monitor.config import Config, load
from monitor.probes import EXCHANGES
from monitor.web import health

ROOT = Path(__file__).parents[2]
SECONDS = 30.0


class Instruction(msgspec.Struct, frozen=True):
    word: str
    rest: str

    def arguments(self) -> list[str]:
        """The exec form, after any options; a shell form is no JSON."""
        return msgspec.json.decode(self.rest[self.rest.find("[") :], type=list[str])


def instructions() -> list[Instruction]:
    lines = [line for line in (ROOT / "Dockerfile").read_text().splitlines() if line.strip() and line[0] != "#"]
    steps = "\n".join(lines).replace("\\\n", "").splitlines()
    return [Instruction(*step.split(maxsplit=1)) for step in steps]


STEPS = instructions()
FINAL = STEPS[max(number for number, step in enumerate(STEPS) if step.word == "FROM") :]
COPIED = [step.rest.split() for step in STEPS if step.word == "COPY" and not step.rest.startswith("--from")]


def only(word: str) -> Instruction:
    """The one instruction of its kind in the final stage."""
    (step,) = (step for step in FINAL if step.word == word)
    return step


def environment() -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in shlex.split(only("ENV").rest))


class Built(msgspec.Struct, frozen=True):
    """Where the build stage left its work on this machine."""

    folder: Path

    def path(self, path: str) -> Path:
        """Where a path of the final image is now."""
        for step in FINAL:
            if step.word == "COPY":
                _, source, target = step.rest.split()
                if PurePosixPath(path).is_relative_to(target):
                    return self.folder / f"{source}{path.removeprefix(target)}"[1:]
        raise AssertionError(f"nothing is copied to {path}")

    def environ(self) -> dict[str, str]:
        ours = environment()
        places = {name: str(self.path(ours[name])) for name in ("CEXWATCH_CONFIG", "PYTHONPATH")}
        return {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"} | places

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        (program,) = only("ENTRYPOINT").arguments()
        return subprocess.Popen(  # noqa: S603 - our own program
            [self.path(program), *arguments],
            cwd=self.folder,
            env=self.environ(),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(self, *arguments: str) -> str:
        with self.start(*arguments) as process:
            out, err = process.communicate(timeout=SECONDS)
        assert process.returncode == 0, err
        return out

    def config(self) -> Config:
        file = self.path(environment()["CEXWATCH_CONFIG"])
        return load(file, {}, known_exchanges=EXCHANGES).config


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The build stage, run in a folder with this Python in place of the image's environment."""
    folder = tmp_path_factory.mktemp("image")
    (folder / "opt/cexwatch/bin").mkdir(parents=True)
    for source, target in COPIED:
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, folder / target[1:], ignore=shutil.ignore_patterns("__pycache__"))
    for step in STEPS[: STEPS.index(FINAL[0])]:
        if step.word == "RUN" and "-m venv" not in step.rest:
            commands = step.rest.replace("/opt/cexwatch/bin/python", sys.executable)
            here = re.sub(r"(?<=[\s'])(?=/(opt/cexwatch|build)/)", str(folder), commands)
            subprocess.run(["/bin/sh", "-euc", here], check=True)  # noqa: S603 - the Dockerfile is ours
    return Built(folder)


def test_base_can_be_chosen() -> None:
    assert (STEPS[0].word, STEPS[0].rest.partition("=")[0]) == ("ARG", "BASE")
    assert {step.rest.split()[0] for step in STEPS if step.word == "FROM"} == {"${BASE}"}


def test_hadolint_finds_nothing() -> None:
    hadolint = Path(sys.executable).parent / "hadolint"
    done = subprocess.run([hadolint, "Dockerfile"], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("source", [source for source, _ in COPIED])
def test_context_holds_what_is_copied(source: str) -> None:
    everything_but, *exceptions = (ROOT / ".dockerignore").read_text().split()
    assert everything_but == "*"
    assert f"!{source}" in exceptions
    assert (ROOT / source).exists()


def test_user_is_a_number() -> None:
    user = only("USER")
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user.rest), "a name cannot be checked for not being root"
    assert "RUN" not in {step.word for step in FINAL[FINAL.index(user) :]}


def test_program(built: Built) -> None:
    assert built.run("--version").startswith("cexwatch ")
    assert "--config" in built.run(*only("CMD").arguments(), "--help")
    assert built.run("check-config").startswith(f"ok: {len(EXCHANGES)} exchanges")


def test_alerts_and_runbooks_are_in_it(built: Built, tmp_path: Path) -> None:
    built.run("rules", "export", "--out", str(tmp_path))
    assert (tmp_path / "cexwatch.rules.yml").read_text() == (ROOT / "dashboards/rules/cexwatch.rules.yml").read_text()
    assert len(list((tmp_path / "runbooks").iterdir())) == len(list((ROOT / "docs/runbooks").iterdir()))


@pytest.mark.timeout(SECONDS)
def test_stop_while_starting(built: Built, tmp_path: Path) -> None:
    config = tmp_path / "never-written.yaml"
    os.mkfifo(config)
    with built.start(*only("CMD").arguments(), "--config", str(config)) as process, config.open("w"):
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, err) == (0, "")


def test_page_can_be_published(built: Built) -> None:
    listen = built.config().listen
    assert (listen.host, str(listen.port)) == ("0.0.0.0", only("EXPOSE").rest)  # noqa: S104 - in a container


def test_health_is_asked_where_the_daemon_answers(built: Built) -> None:
    assert only("HEALTHCHECK").arguments() == ["/opt/cexwatch/bin/python", "-m", health.__name__]
    assert f":{built.config().listen.port}/" in health.DEFAULT


def test_everything_is_written_into_the_volume(built: Built) -> None:
    (volume,) = only("VOLUME").arguments()
    workdir = PurePosixPath(only("WORKDIR").rest)
    config = built.config()
    database = config.database.partition(":///")[2]
    assert config.channels.file is not None
    written = [workdir / path for path in (database, config.socket, config.channels.file.folder)]
    written.append(PurePosixPath(environment()["TMPDIR"]))
    assert [path for path in written if not path.is_relative_to(volume)] == []
    assert f"--mode 0750 {volume}" in only("RUN").rest
