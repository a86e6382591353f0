"""What lies in deploy/ is well formed, runs commands that there are, and runs them as nobody in particular."""

from __future__ import annotations

import configparser
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import click
import pytest
import yaml  # type: ignore[import-untyped, unused-ignore]

from holdfast.cli.main import cli

DEPLOY = Path(__file__).parents[2] / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
POD = "$(POD)"


def parse(words: list[str]) -> None:
    """Raises where the command or an option is not there."""
    name, command, rest = cli.resolve_command(click.Context(cli), list(words))
    assert command is not None
    command.make_context(name, list(rest))


def unit(file: Path) -> configparser.RawConfigParser:
    class Section(dict[str, Any]):
        """Keys may come again: Environment=."""

        def __setitem__(self, key: str, value: Any) -> None:
            super().__setitem__(key, self[key] + value if isinstance(value, list) and key in self else value)

    found = configparser.RawConfigParser(strict=False, dict_type=Section)
    found.optionxform = str  # type: ignore[assignment, method-assign]
    found.read(file)
    return found


@pytest.mark.parametrize("file", UNITS, ids=lambda file: file.name)
def test_a_unit_runs_a_command_that_there_is_with_few_rights(file: Path):
    service = unit(file)["Service"]
    program, *words = shlex.split(service["ExecStart"])

    assert program.endswith("/holdfast")
    parse([word.replace("%H", "h").replace("%i", "1") for word in words])
    assert service["DynamicUser"] == service["NoNewPrivileges"] == "yes"
    assert service["ProtectSystem"] == "strict"
    assert int(service["TimeoutStopSec"]) > 20


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
@pytest.mark.parametrize("file", UNITS, ids=lambda file: file.name)
def test_systemd_understands_every_line_of_a_unit(file: Path, tmp_path: Path):
    program = tmp_path / "holdfast"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    copy = tmp_path / file.name
    copy.write_text(file.read_text().replace("/opt/holdfast/bin/holdfast", str(program)))

    done = subprocess.run(["systemd-analyze", "verify", copy], capture_output=True, text=True)

    assert (done.returncode, [line for line in done.stderr.splitlines() if file.stem in line]) == (0, [])


def test_the_image_is_run_by_nobody_in_particular_and_looked_after():
    lines = (DEPLOY / "container" / "Containerfile").read_text().splitlines()
    last = {line.split()[0]: line for line in lines if line and line.split()[0].isupper()}

    assert re.fullmatch(r"USER [1-9]\d*:[1-9]\d*", last["USER"])
    assert "HEALTHCHECK" in last
    assert "--require-hashes" in "\n".join(lines)
    parse([last["ENTRYPOINT"], *yaml.safe_load(last["CMD"].removeprefix("CMD "))][1:])


def test_the_image_is_built_of_files_that_there_are():
    lines = (DEPLOY / "container" / "Containerfile").read_text().splitlines()
    copied = [line.split()[1:-1] for line in lines if line.startswith("COPY ") and "--from" not in line]

    assert copied
    assert [source for sources in copied for source in sources if not (DEPLOY.parent / source).exists()] == []


def pods() -> list[tuple[str, dict[str, Any]]]:
    documents = [each for file in MANIFESTS for each in yaml.safe_load_all(file.read_text())]
    return [
        (each["metadata"]["name"], each["spec"]["template"]["spec"])
        for each in documents
        if each["kind"] == "StatefulSet"
    ]


@pytest.mark.parametrize(("name", "pod"), pods(), ids=[name for name, _ in pods()])
def test_a_pod_runs_a_command_that_there_is_with_few_rights(name: str, pod: dict[str, Any]):
    [container] = pod["containers"]

    parse([word.replace(POD, "pod-0") for word in container["args"]])
    assert pod["securityContext"]["runAsNonRoot"]
    assert not pod["automountServiceAccountToken"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    mounts = {each["name"] for each in container["volumeMounts"]}
    assert mounts == {each["name"] for each in pod["volumes"]}
    assert pod["terminationGracePeriodSeconds"] > 20


def test_every_manifest_is_among_the_resources():
    listed = yaml.safe_load((DEPLOY / "kubernetes" / "kustomization.yaml").read_text())["resources"]

    assert sorted([*listed, "kustomization.yaml"]) == [file.name for file in MANIFESTS]


def test_the_settings_of_the_manifests_are_settings(tmp_path: Path):
    from holdfast.settings import load

    [held] = [
        each["data"]["holdfast.toml"]
        for file in MANIFESTS
        for each in yaml.safe_load_all(file.read_text())
        if each["kind"] == "ConfigMap"
    ]
    (tmp_path / "holdfast.toml").write_text(held)

    assert load(tmp_path / "holdfast.toml", {}).tenants["contoso"].reader is not None


def test_the_workflow_runs_commands_that_there_are_with_few_rights():
    workflow = yaml.safe_load((DEPLOY / "github" / "holdfast.yml").read_text())
    steps = workflow["jobs"]["watch"]["steps"]
    lines = [step["run"].partition(" >>")[0] for step in steps if step.get("run", "").startswith("holdfast ")]

    assert len(lines) == 2
    for line in lines:
        parse(shlex.split(line)[1:])
    assert workflow["permissions"] == {"contents": "read", "id-token": "write"}
    assert workflow["concurrency"]["cancel-in-progress"] is False
