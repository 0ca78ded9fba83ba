"""What the figures were measured on: nothing in it names the machine or a place on it."""

import os
import platform
import re
from pathlib import Path
from typing import NamedTuple

__all__ = ["Machine", "read_machine"]


class Machine(NamedTuple):
    """Facts for the report."""

    cores: int
    cpu: str
    memory_gib: float
    kernel: str
    python: str
    filesystem: str


def _filesystem(path: Path) -> str:
    """Type of the file system that holds `path`: of the longest mount point above it."""
    best, kind = -1, "unknown"
    for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines():
        _, mount, found, *_ = line.split()
        if path.is_relative_to(mount) and len(mount) > best:
            best, kind = len(mount), found
    return kind


def read_machine(data: Path) -> Machine:
    """Of this machine; `data` is where the gateway writes."""
    cpu = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    memory = Path("/proc/meminfo").read_text(encoding="utf-8")
    model = re.search(r"model name\s*: (.*)", cpu)
    total = re.search(r"MemTotal:\s+(\d+) kB", memory)
    return Machine(
        cores=os.cpu_count() or 0,
        cpu=model[1] if model else platform.machine(),
        memory_gib=int(total[1]) / 1024**2 if total else 0.0,
        kernel=f"{platform.system()} {platform.release().split('-')[0]}",
        python=platform.python_version(),
        filesystem=_filesystem(data.resolve()),
    )
