"""What the verbs need from the world, as Protocols. Adapters implement them; `compose` hands them over."""

from holdfast.ports.around import Clock, Notifier
from holdfast.ports.credentials import Certify, SignsIn
from holdfast.ports.database import SqlServer
from holdfast.ports.directory import Applications, Directory, Registry
from holdfast.ports.keeping import Agenda, History, Journal, Kept, Outbox, SecretStore, Thing, Workers
from holdfast.ports.platform import Consenting, FlowList, Operator, Platform, Runs, Starter

__all__ = [
    "Agenda",
    "Applications",
    "Certify",
    "Clock",
    "Consenting",
    "Directory",
    "FlowList",
    "History",
    "Journal",
    "Kept",
    "Notifier",
    "Operator",
    "Outbox",
    "Platform",
    "Registry",
    "Runs",
    "SecretStore",
    "SignsIn",
    "SqlServer",
    "Starter",
    "Thing",
    "Workers",
]
