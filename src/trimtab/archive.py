"""What a project keeps, opened for a question or for care, without the gateway that fills it.

A command that reads loads this and not `trimtab.app`, which takes twice as long to load.
"""

from pathlib import Path

from trimtab.config.environment import data_folder
from trimtab.config.load import load_project
from trimtab.store import sqlite
from trimtab.store.protocol import Experiments, KeyStore, Reader
from trimtab.store.records import RebuildReport, VerifyReport
from trimtab.types.clock import SystemClock

__all__ = ["open_experiments", "open_keys", "open_reader", "rebuild_store", "verify_store"]


def open_keys(project_file: Path) -> KeyStore:
    """The keys of a project, for the command line."""
    return sqlite.open_keys(data_folder(load_project(project_file)), SystemClock())


def open_reader(project_file: Path) -> Reader:
    """The records of a project, for questions."""
    return sqlite.open_reader(data_folder(load_project(project_file)), SystemClock())


def open_experiments(project_file: Path) -> Experiments:
    """Answers to cases of a project's suites."""
    return sqlite.open_experiments(data_folder(load_project(project_file)), SystemClock())


def verify_store(project_file: Path) -> VerifyReport:
    """Prove that the ledger of a project misses nothing."""
    return sqlite.verify(data_folder(load_project(project_file)))


def rebuild_store(project_file: Path, *, force: bool) -> RebuildReport:
    """Make everything below the ledger of a project anew."""
    return sqlite.rebuild(data_folder(load_project(project_file)), force=force)
