"""The commands that set an identity up, printed for somebody to read and run elsewhere; holdfast runs none."""

from holdfast.cli.setup.azure_cli import azure_cli
from holdfast.cli.setup.needs import Needs, Target, needs_of
from holdfast.cli.setup.page import page
from holdfast.cli.setup.portal import portal
from holdfast.cli.setup.powershell import powershell

__all__ = ["Needs", "Target", "azure_cli", "needs_of", "page", "portal", "powershell"]
