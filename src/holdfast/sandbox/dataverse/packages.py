"""What a solution zip holds: its manifest, its flows and connection references."""

from __future__ import annotations

import json
import re
import zipfile
import zlib
from base64 import b64decode
from collections.abc import Iterator
from io import BytesIO
from typing import Any, NamedTuple
from xml.etree import ElementTree

LARGEST_ZIP = 30 * 1024 * 1024
LARGEST_MEMBER = 10 * 1024 * 1024
MOST_MEMBERS = 2000
CONNECTOR = re.compile(r"/providers/Microsoft\.PowerApps/apis/([A-Za-z0-9_-]+)", re.IGNORECASE)
GUID = re.compile(r"\{?([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})\}?")
FLOW = "29"


class PackageError(ValueError):
    """The zip is no solution that can be imported; one sentence."""


class FlowPart(NamedTuple):
    """A flow of the package; `is_on` as it was exported."""

    workflow_id: str
    name: str
    description: str | None
    is_on: bool
    clientdata: str


class ReferencePart(NamedTuple):
    """A connection reference of the package."""

    logical_name: str
    display_name: str
    connector: str


class Package(NamedTuple):
    """A solution as its zip tells it."""

    unique_name: str
    display_name: str
    version: str
    is_managed: bool
    publisher: str
    publisher_name: str
    prefix: str
    option_prefix: int
    flows: tuple[FlowPart, ...]
    references: tuple[ReferencePart, ...]


def package_of(encoded: Any) -> Package:
    """The package in a base64 text.

    Raises:
        PackageError: it is none.
    """
    if not isinstance(encoded, str):
        raise PackageError("The CustomizationFile must be a base64 text.")
    try:
        content = b64decode(encoded, validate=True)
    except ValueError:
        raise PackageError("The CustomizationFile is not valid base64.") from None
    if len(content) > LARGEST_ZIP:
        raise PackageError("The solution file is too large.")
    try:
        with zipfile.ZipFile(BytesIO(content)) as file:
            return _read(file)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
        raise PackageError("The solution file is invalid: it is no zip.") from None


def _read(file: zipfile.ZipFile) -> Package:
    if len(file.infolist()) > MOST_MEMBERS:
        raise PackageError("The solution file holds too many members.")
    if "[Content_Types].xml" not in file.namelist():
        raise PackageError("The solution file is invalid: it holds no [Content_Types].xml.")
    manifest = _xml(file, "solution.xml").find("SolutionManifest")
    customizations = _xml(file, "customizations.xml")
    if manifest is None or customizations.tag != "ImportExportXml":
        raise PackageError("The solution file is invalid: it holds no SolutionManifest.")
    publisher = manifest.find("Publisher")
    if publisher is None:
        raise PackageError("The solution names no publisher.")
    flows = tuple(_flows(file, customizations))
    roots = {_guid(root.get("id", "")) for root in manifest.iter("RootComponent") if root.get("type") == FLOW}
    if others := sorted(
        str(root.get("type")) for root in manifest.iter("RootComponent") if root.get("type") != FLOW
    ):
        raise PackageError(f"Components of type {others[0]} are not played by this sandbox.")
    if roots != {flow.workflow_id for flow in flows}:
        raise PackageError("The RootComponents and the Workflows of the solution are not the same.")
    return Package(
        unique_name=_text(manifest, "UniqueName"),
        display_name=_label(manifest) or _text(manifest, "UniqueName"),
        version=_text(manifest, "Version"),
        is_managed=_text(manifest, "Managed") == "1",
        publisher=_text(publisher, "UniqueName"),
        publisher_name=_label(publisher) or _text(publisher, "UniqueName"),
        prefix=_text(publisher, "CustomizationPrefix"),
        option_prefix=_number(publisher, "CustomizationOptionValuePrefix"),
        flows=flows,
        references=tuple(_references(customizations)),
    )


def _bytes(file: zipfile.ZipFile, name: str) -> bytes:
    try:
        member = file.getinfo(name)
    except KeyError:
        raise PackageError(f"The solution file is invalid: it holds no {name}.") from None
    if member.file_size > LARGEST_MEMBER:
        raise PackageError(f"The member {name} is too large.")
    return file.read(member)


def _xml(file: zipfile.ZipFile, name: str) -> ElementTree.Element:
    content = _bytes(file, name)
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise PackageError(f"The member {name} may not have a DOCTYPE.")
    try:
        return ElementTree.fromstring(content)
    except ElementTree.ParseError as error:
        raise PackageError(f"The member {name} is no XML: {error}.") from None


def _flows(file: zipfile.ZipFile, customizations: ElementTree.Element) -> Iterator[FlowPart]:
    for one in customizations.iterfind("Workflows/Workflow"):
        if _text(one, "Category") != "5":
            raise PackageError("Workflows of other categories than 5 are not played by this sandbox.")
        name = _text(one, "JsonFileName")
        if not name.startswith("/"):
            raise PackageError(f"The JsonFileName {name!r} does not begin with a slash.")
        try:
            clientdata = _bytes(file, name[1:]).decode("utf-8-sig")
            json.loads(clientdata)
        except (ValueError, RecursionError):
            raise PackageError(f"The member {name} is no JSON.") from None
        yield FlowPart(
            _guid(one.get("WorkflowId", "")),
            one.get("Name", ""),
            one.findtext("Description"),
            _text(one, "StateCode") == "1",
            clientdata,
        )


def _references(customizations: ElementTree.Element) -> Iterator[ReferencePart]:
    for one in customizations.iterfind("connectionreferences/connectionreference"):
        logical_name = one.get("connectionreferencelogicalname", "")
        found = CONNECTOR.fullmatch(_text(one, "connectorid"))
        if not logical_name or found is None:
            raise PackageError("A connection reference of the solution has no logical name or connector.")
        yield ReferencePart(
            logical_name, one.findtext("connectionreferencedisplayname") or logical_name, found[1]
        )


def _text(parent: ElementTree.Element, name: str) -> str:
    found = parent.findtext(name)
    if not found:
        raise PackageError(f"The solution file is invalid: {parent.tag} has no {name}.")
    return found.strip()


def _number(parent: ElementTree.Element, name: str) -> int:
    text = _text(parent, name)
    if not text.isdecimal() or not 10_000 <= int(text) <= 99_999:
        raise PackageError(f"The {name} must be a number from 10000 to 99999.")
    return int(text)


def _label(parent: ElementTree.Element) -> str:
    found = parent.find("LocalizedNames/LocalizedName")
    return "" if found is None else found.get("description", "")


def _guid(text: str) -> str:
    found = GUID.fullmatch(text)
    if found is None:
        raise PackageError(f"{text!r} is no id of a flow.")
    return found[1].lower()
