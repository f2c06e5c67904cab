"""What is shipped to run us beside: compose, Kubernetes, systemd. Real tools read it where they are."""

import re
import shutil
import subprocess
import sys
from configparser import RawConfigParser
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec
import pytest
from ruamel.yaml import YAML

from monitor.cli.outcome import Code
from tests.installed import content

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
UNIT = DEPLOY / "systemd" / "cexwatch.service"
GATE = DEPLOY / "systemd" / "cexwatch-freeze.service"
UNITS = [pytest.param(unit, id=unit.stem) for unit in (UNIT, GATE)]
PINNED = re.compile(r"[\w./-]+:v?\d+\.\d+\.\d+")
OUR_USER = "10001"


class Service(msgspec.Struct, frozen=True):
    image: str
    ports: list[str]
    volumes: list[str]
    restart: str
    read_only: bool
    cap_drop: list[str]
    security_opt: list[str]
    command: list[str] = []
    environment: dict[str, str] = {}
    profiles: list[str] = []

    def mounts(self) -> list[tuple[str, PurePosixPath]]:
        """(what, where)"""
        return [(what, PurePosixPath(where)) for what, where, *_ in (volume.split(":") for volume in self.volumes)]

    def file(self, path: str) -> Path:
        """Which of our files a path inside is."""
        over = [(what, where) for what, where in self.mounts() if PurePosixPath(path).is_relative_to(where)]
        what, where = max(over, key=lambda mount: len(mount[1].parts))
        assert what.startswith("."), f"nothing of ours is mounted at {path}"
        return ROOT / what / PurePosixPath(path).relative_to(where)

    def option(self, name: str) -> str:
        (value,) = (word.removeprefix(f"--{name}=") for word in self.command if word.startswith(f"--{name}="))
        return value


class Compose(msgspec.Struct, frozen=True):
    services: dict[str, Service]
    volumes: dict[str, None]


def yaml(path: Path) -> Any:
    return YAML(typ="safe").load(path)


@pytest.fixture(scope="module")
def compose() -> Compose:
    return msgspec.convert(yaml(ROOT / "compose.yaml"), Compose)


SERVICES = ("cexwatch", "freeze", "prometheus", "alertmanager", "grafana")


def test_compose_has_all_that_is_needed(compose: Compose) -> None:
    assert tuple(compose.services) == SERVICES


@pytest.mark.parametrize("name", SERVICES)
def test_service_of_compose(compose: Compose, name: str) -> None:
    service = compose.services[name]
    assert PINNED.fullmatch(service.image), "a tag that moves is another program tomorrow"
    assert all(port.startswith("127.0.0.1:") for port in service.ports), "none of them asks who you are"
    assert (service.read_only, service.cap_drop, service.restart) == (True, ["ALL"], "unless-stopped")
    assert service.security_opt == ["no-new-privileges:true"]
    for what, _ in service.mounts():
        if what.startswith("."):
            assert (ROOT / what).exists(), what
        else:
            assert what in compose.volumes, f"{what} is no volume"


@pytest.mark.parametrize("name", SERVICES)
def test_ours_is_mounted_to_be_read(compose: Compose, name: str) -> None:
    assert [v for v in compose.services[name].volumes if v.startswith(".") and not v.endswith(":ro")] == []


def test_prometheus_of_compose(compose: Compose) -> None:
    service = compose.services["prometheus"]
    path = service.option("config.file")
    ours, beside = yaml(service.file(path)), yaml(ROOT / "dashboards" / "prometheus.yml")
    assert ours["global"] == beside["global"], "the time to a page counts on these intervals"
    (job,) = ours["scrape_configs"]
    assert (job["job_name"], job["static_configs"]) == ("cexwatch", [{"targets": ["cexwatch:9877"]}])
    (members,) = ours["alerting"]["alertmanagers"]
    assert members["static_configs"] == [{"targets": ["alertmanager:9093"]}]
    (rules,) = ours["rule_files"]
    assert service.file(str(PurePosixPath(path).parent / rules)) == ROOT / "dashboards" / "rules" / "*.yml"


def test_prometheus_of_compose_is_read_by_promtool(compose: Compose) -> None:
    service = compose.services["prometheus"]
    content("promtool", "check", "config", "--syntax-only", str(service.file(service.option("config.file"))))


def test_alertmanager_of_compose(compose: Compose) -> None:
    service = compose.services["alertmanager"]
    assert service.file(service.option("config.file")) == ROOT / "dashboards" / "alertmanager.yml"


def test_grafana_of_compose(compose: Compose) -> None:
    service = compose.services["grafana"]
    (provider,) = yaml(service.file("/etc/grafana/provisioning/dashboards/cexwatch.yml"))["providers"]
    assert service.file(provider["options"]["path"]) == ROOT / "dashboards"
    assert service.file(service.environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]).is_file()
    (ours,) = yaml(service.file("/etc/grafana/provisioning/datasources/prometheus.yml"))["datasources"]
    (beside,) = yaml(ROOT / "dashboards/provisioning/datasources/prometheus.yml")["datasources"]
    assert ours == beside | {"url": "http://prometheus:9090"}


def test_the_freeze_gate_of_compose_is_there_for_those_who_ask_and_has_all_it_reads(compose: Compose) -> None:
    service = compose.services["freeze"]
    assert [name for name, each in compose.services.items() if each.profiles] == ["freeze"]
    assert service.image == compose.services["cexwatch"].image
    ours, beside = yaml(service.file(service.command[-1])), yaml(ROOT / "config/freeze.yaml")
    assert sorted(ours) == sorted(beside), "it tells what the other tells"
    writable = [where for what, where in service.mounts() if not what.startswith(".")]
    for path in (ours["ledger"].removeprefix("sqlite:///"), ours["witness"]):
        (over,) = [where for where in writable if PurePosixPath(path).is_relative_to(where)]
        assert f" {over}" in (ROOT / "Dockerfile").read_text(), "a volume is its user's where the image has the folder"
    assert all(file.startswith("/run/secrets/") for file in re.findall(r"_file: (\S+)", CONFIGURED.read_text()))


CONFIGURED = DEPLOY / "compose" / "freeze.yaml"


@pytest.mark.parametrize("name", ["cexwatch", "freeze", "alertmanager"])
def test_secrets_of_compose_are_never_committed(compose: Compose, name: str) -> None:
    folder = compose.services[name].file("/run/secrets/anything").parent
    assert (folder / ".gitignore").read_text().split() == ["*", "!.gitignore"]


def test_configuration_of_kubernetes() -> None:
    """It is the observer's, but for what a pod has elsewhere."""
    ours = (DEPLOY / "kustomize/configuration.yaml").read_text()
    made = subprocess.run(["/bin/sh", ROOT / "tools/kustomize.sh"], check=True, capture_output=True, text=True)  # noqa: S603
    assert made.stdout == ours, "make docs makes it"
    pairs = zip((ROOT / "config/cexwatch.yaml").read_text().splitlines(), ours.splitlines(), strict=True)
    others = [other.split()[:2] for shipped, other in list(pairs)[1:] if shipped != other]
    assert others == [["listen:", "0.0.0.0:9877"], ["reserves:", "/etc/cexwatch/reserves"]]
    assert "COPY --from=build /build/config /etc/cexwatch\n" in (ROOT / "Dockerfile").read_text()


@pytest.fixture(scope="module")
def objects() -> dict[str, Any]:
    """As kubectl makes them, by kind."""
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed")
    made = content("kubectl", "kustomize", str(DEPLOY / "kustomize"))
    return {each["kind"]: each for each in YAML(typ="safe").load_all(made)}


def test_objects_of_kubernetes(objects: dict[str, Any]) -> None:
    assert sorted(objects) == ["ConfigMap", "Service", "StatefulSet"]
    stateful, service = objects["StatefulSet"]["spec"], objects["Service"]["spec"]
    assert stateful["replicas"] == 1
    assert stateful["selector"]["matchLabels"] == service["selector"] == {"app.kubernetes.io/name": "cexwatch"}
    assert service["selector"].items() <= stateful["template"]["metadata"]["labels"].items()
    named = [volume["configMap"]["name"] for volume in pod(objects)["volumes"] if "configMap" in volume]
    assert named == [objects["ConfigMap"]["metadata"]["name"]]


def pod(objects: dict[str, Any]) -> Any:
    return objects["StatefulSet"]["spec"]["template"]["spec"]


def test_pod_has_no_rights(objects: dict[str, Any]) -> None:
    (container,) = pod(objects)["containers"]
    whole, own = pod(objects)["securityContext"], container["securityContext"]
    assert (whole["runAsNonRoot"], str(whole["runAsUser"])) == (True, OUR_USER)
    assert f"USER {OUR_USER}:{OUR_USER}" in (ROOT / "Dockerfile").read_text()
    assert whole["fsGroup"] == whole["runAsUser"], "or it cannot write its volume"
    assert own == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod(objects)["automountServiceAccountToken"] is False


def test_pod_can_be_asked_and_finds_its_files(objects: dict[str, Any]) -> None:
    (container,) = pod(objects)["containers"]
    assert PINNED.fullmatch(container["image"])
    (port,) = container["ports"]
    assert str(port["containerPort"]) in (ROOT / "Dockerfile").read_text()
    probes = {name: container[name]["httpGet"] for name in ("startupProbe", "readinessProbe", "livenessProbe")}
    assert {probe["port"] for probe in probes.values()} == {port["name"]}
    assert [probe["path"] for probe in probes.values()] == ["/readyz", "/readyz", "/healthz"]
    mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
    (claim,) = objects["StatefulSet"]["spec"]["volumeClaimTemplates"]
    assert mounts["/data"] == claim["metadata"]["name"]
    config = PurePosixPath(container["args"][-1])
    assert str(config.parent) in mounts
    assert config.name in objects["ConfigMap"]["data"]


class Unit(RawConfigParser):
    """Of the keys that are there twice the last one counts, which is none of those asked for here."""

    def __init__(self, file: Path) -> None:
        super().__init__(strict=False)
        self.read(file)

    def optionxform(self, optionstr: str) -> str:
        return optionstr


@pytest.mark.parametrize("file", UNITS)
def test_unit_of_systemd(file: Path) -> None:
    service = Unit(file)["Service"]
    assert (service["Type"], service["NotifyAccess"], service["WatchdogSec"]) == ("notify", "main", "30s")
    assert service["RestartPreventExitStatus"] == str(Code.USAGE.value), "what `run` ends with at a wrong configuration"
    assert service["WorkingDirectory"] == f"%S/{service['StateDirectory'].split()[0]}"


def test_the_gate_is_tried_for_ever_with_no_more_rights_than_the_daemon() -> None:
    assert Unit(GATE)["Unit"]["StartLimitIntervalSec"] == "0"
    daemon, gate = Unit(UNIT)["Service"], Unit(GATE)["Service"]
    others = {key for key in {*daemon, *gate} if daemon.get(key) != gate.get(key)}
    own = {"User", "DynamicUser", "StateDirectory", "WorkingDirectory", "LoadCredential"}
    assert others == {"ExecStart", "ExecReload", *own}


def test_unit_of_the_daemon() -> None:
    service = Unit(UNIT)["Service"]
    assert service["DynamicUser"] == "yes"
    assert service["ExecReload"] == '/bin/sh -c "kill -HUP $$MAINPID"', "procps may be missing"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize("file", UNITS)
def test_unit_is_read_by_systemd(tmp_path: Path, file: Path) -> None:
    """It also looks whether the program is there, so one that is stands for ours."""
    unit = tmp_path / file.name
    text, found = re.subn(r"(?m)^ExecStart=\S+", f"ExecStart={sys.executable}", file.read_text())
    assert found == 1
    unit.write_text(text)
    assert content("systemd-analyze", "verify", str(unit)) == ""
