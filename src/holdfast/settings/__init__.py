"""Read once, from file and environment, into one frozen Settings."""

from holdfast.settings.complaint import place
from holdfast.settings.load import config_file, load
from holdfast.settings.ready import from_ready
from holdfast.settings.shape import Hosts, Identity, SecretStores, Settings, Tenant, Vault, Watch

__all__ = [
    "Hosts",
    "Identity",
    "SecretStores",
    "Settings",
    "Tenant",
    "Vault",
    "Watch",
    "config_file",
    "from_ready",
    "load",
    "place",
]
