"""The fakes that trimtab ships: a provider that fails on demand, and a clock that stands still."""

from trimtab.testing.calls import Call
from trimtab.testing.clock import FrozenClock
from trimtab.testing.faults import FAULTS
from trimtab.testing.provider import FaultProvider
from trimtab.testing.script import Behaviour, Event, Script, ToolCall, load_script
from trimtab.testing.thread import RunningFaultProvider, running_fault_provider

__all__ = [
    "FAULTS",
    "Behaviour",
    "Call",
    "Event",
    "FaultProvider",
    "FrozenClock",
    "RunningFaultProvider",
    "Script",
    "ToolCall",
    "load_script",
    "running_fault_provider",
]
