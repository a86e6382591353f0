"""One file, then the environment; the flags are the commands' own."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import platformdirs
from pydantic import SecretStr, ValidationError

from holdfast.core.errors import SettingsError
from holdfast.core.secret import SecretReference
from holdfast.settings.complaint import complain, known_keys, place, unknown_key
from holdfast.settings.document import read_document
from holdfast.settings.shape import CREDENTIALS, Settings

Tree = dict[str, Any]

PREFIX = "HOLDFAST_"
NOT_SETTINGS = frozenset({"HOLDFAST_CONFIG", "HOLDFAST_DEBUG"})
_PATHS = frozenset({"state_dir", "ca_file", "certificate", "federated_token_file", "file", "key_file"})
_SECRETS = frozenset({"secret", "certificate_password", "store_url"})


def config_file(config: Path | None, environ: Mapping[str, str]) -> Path:
    """Where the settings are read from and `holdfast init` writes them; never the current directory."""
    if config is not None:
        return config
    named = environ.get("HOLDFAST_CONFIG")
    return (
        Path(named) if named else platformdirs.user_config_path("holdfast", appauthor=False) / "holdfast.toml"
    )


def load(config: Path | None, environ: Mapping[str, str]) -> Settings:
    """The settings in effect.

    Args:
        config: the file of `--config`; None looks at HOLDFAST_CONFIG, then at the user's own folder.
        environ: the environment's variables.

    Raises:
        SettingsError: the named file is missing or unreadable, or what stands in it is wrong.
    """
    path = config_file(config, environ)
    named = config is not None or bool(environ.get("HOLDFAST_CONFIG"))
    tree, origins = _read(path, named)
    _refuse_names(tree, origins)
    _overlay(tree, origins, environ)
    _fill_reader(tree, origins, environ)
    if "state_dir" not in tree:
        tree["state_dir"] = platformdirs.user_state_path("holdfast", appauthor=False)
        origins["state_dir"] = "default"
    return build(tree, origins, path if path.exists() else None)


def build(tree: Tree, origins: Mapping[str, str], source: Path | None = None) -> Settings:
    """Settings of a merged tree.

    Raises:
        SettingsError: in one sentence, with the place.
    """
    tenants = tree.get("tenants")
    if isinstance(tenants, dict):
        _refuse_odd_names(tenants, origins)
        named = {
            key: {**value, "name": key} if isinstance(value, dict) else value
            for key, value in tenants.items()
        }
        tree = {**tree, "tenants": named}
    try:
        settings = Settings.model_validate({**tree, "source": source, "origins": dict(origins)})
    except ValidationError as error:
        raise complain(error, origins) from None
    _refuse_twins(settings)
    return settings


def _read(path: Path, named: bool) -> tuple[Tree, dict[str, str]]:
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        if named:
            raise SettingsError(
                f"There is no settings file {path}: `holdfast init --config {path}` writes one."
            ) from None
        return {}, {}
    except OSError as error:
        raise SettingsError(
            f"The settings file {path} cannot be read ({error.strerror}): give yourself the right to read it."
        ) from None
    tree, origins = read_document(text, path)
    _anchor(tree, path.parent)
    return tree, origins


def _anchor(tree: Tree, folder: Path) -> None:
    """Relative paths in a file are relative to it."""
    for key, value in tree.items():
        if isinstance(value, dict):
            _anchor(value, folder)
        elif key in _PATHS and isinstance(value, str):
            tree[key] = folder / Path(value).expanduser()


def _refuse_names(tree: Tree, origins: Mapping[str, str]) -> None:
    """Keys that the shape has for itself and nobody may set."""
    tenants = tree.get("tenants")
    taken: list[tuple[str, ...]] = [("source",), ("origins",)]
    taken += [("tenants", key, "name") for key in tenants] if isinstance(tenants, dict) else []
    for path in taken:
        if ".".join(path) in origins:
            raise SettingsError(f"{unknown_key(path, origins)}.")


def _overlay(tree: Tree, origins: dict[str, str], environ: Mapping[str, str]) -> None:
    """HOLDFAST_A__B__C over a.b.c. Empty variables count as unset; words that are near no setting as foreign.

    Kubernetes puts HOLDFAST_PORT and HOLDFAST_SERVICE_HOST into every container beside a service of that
    name, so an unknown variable alone is no error.
    """
    for variable in sorted(environ):
        if not variable.startswith(PREFIX) or variable in NOT_SETTINGS or not environ[variable]:
            continue
        path = variable.removeprefix(PREFIX).lower().split("__")
        if path[0] not in known_keys(()):
            near = difflib.get_close_matches(path[0], known_keys(()), n=1, cutoff=0.8)
            if near:
                raise SettingsError(f"{variable} is no setting; the nearest is {PREFIX}{near[0].upper()}.")
            continue
        if path[0] == "tenants" and len(path) > 1:
            path[1] = _tenant_key(tree.get("tenants"), path[1])
        _put(tree, origins, tuple(path), environ[variable], variable)


def _tenant_key(tenants: Any, word: str) -> str:
    """The tenant of the file that a variable means; variables have neither case nor dashes."""
    names = list(tenants) if isinstance(tenants, dict) else []
    return next((name for name in names if name.lower().replace("-", "_") == word), word)


def _put(tree: Tree, origins: dict[str, str], path: tuple[str, ...], value: str, where: str) -> None:
    table: Any = tree
    for depth, key in enumerate(path[:-1]):
        table = table.setdefault(key, {})
        if not isinstance(table, dict):
            above = place(path[: depth + 1], origins)
            raise SettingsError(
                f"{'.'.join(path[: depth + 1])} is a value in {above} but a table in {where}."
            )
    literal = path[-1] in _SECRETS and SecretReference.parse(value) is None
    table[path[-1]] = SecretStr(value) if literal else value
    origins[".".join(path)] = where


_AZURE = {
    "secret": "AZURE_CLIENT_SECRET",
    "certificate": "AZURE_CLIENT_CERTIFICATE_PATH",
    "federated_token_file": "AZURE_FEDERATED_TOKEN_FILE",
}


def _fill_reader(tree: Tree, origins: dict[str, str], environ: Mapping[str, str]) -> None:
    """The usual AZURE_ variables become the reader identity where the settings give it no credential."""
    given = {key: environ[name] for key, name in _AZURE.items() if environ.get(name)}
    if not given or not environ.get("AZURE_CLIENT_ID"):
        return
    name = _azure_tenant(tree, origins, environ.get("AZURE_TENANT_ID", ""))
    if name is None:
        return
    tenant = tree["tenants"][name]
    reader = tenant.setdefault("reader", {})
    if not isinstance(reader, dict) or any(reader.get(key) for key in CREDENTIALS):
        return
    at = f"tenants.{name}.reader"
    if (
        reader.setdefault("client_id", environ["AZURE_CLIENT_ID"]).lower()
        != environ["AZURE_CLIENT_ID"].lower()
    ):
        raise SettingsError(
            f"{at}.client_id ({place(('tenants', name, 'reader', 'client_id'), origins)}) and AZURE_CLIENT_ID"
            " name different applications, and only the variables bring a credential: give the reader its own."
        )
    origins.setdefault(f"{at}.client_id", "AZURE_CLIENT_ID")
    for key, value in given.items():
        reader[key] = SecretStr(value) if key in _SECRETS else value
        origins[f"{at}.{key}"] = _AZURE[key]


def _azure_tenant(tree: Tree, origins: dict[str, str], tenant_id: str) -> str | None:
    """Which tenant the AZURE_ variables mean; one is made where the settings have none."""
    tenants = tree.setdefault("tenants", {})
    if not isinstance(tenants, dict) or not all(isinstance(tenant, dict) for tenant in tenants.values()):
        return None
    if not tenants and tenant_id:
        tenants["default"] = {"tenant_id": tenant_id}
        origins["tenants.default.tenant_id"] = "AZURE_TENANT_ID"
        return "default"
    if not tenant_id:
        return next(iter(tenants)) if len(tenants) == 1 else None
    same = (
        name for name, tenant in tenants.items() if str(tenant.get("tenant_id")).lower() == tenant_id.lower()
    )
    return next(same, None)


def _refuse_odd_names(tenants: Tree, origins: Mapping[str, str]) -> None:
    """Names stand in commands, variables and file names."""
    for name in tenants:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
            where = place(("tenants", name), origins)
            raise SettingsError(f"The tenant name {name!r} ({where}) must be letters, digits, - and _ only.")


def _refuse_twins(settings: Settings) -> None:
    seen: dict[str, str] = {}
    for name, tenant in settings.tenants.items():
        twin = seen.setdefault(tenant.tenant_id, name)
        if twin != name:
            places = [
                f"{other} ({place(('tenants', other, 'tenant_id'), settings.origins)})"
                for other in (twin, name)
            ]
            raise SettingsError(f"Tenants {' and '.join(places)} have the same tenant_id {tenant.tenant_id}.")
