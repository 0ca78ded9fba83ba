"""The store on SQLite: nothing to install, several processes read and write."""

from trimtab.store.sqlite.answers import SqliteAnswers, open_answers
from trimtab.store.sqlite.experiments import SqliteExperiments, open_experiments
from trimtab.store.sqlite.feedback_rows import SqliteComments, open_comments
from trimtab.store.sqlite.keys import SqliteKeys, open_keys
from trimtab.store.sqlite.ledger import SqliteLedger, open_ledger
from trimtab.store.sqlite.projector import catch_up
from trimtab.store.sqlite.reader import SqliteReader, open_reader
from trimtab.store.sqlite.rebuild import rebuild
from trimtab.store.sqlite.repricings import SqliteRepricings, open_repricings
from trimtab.store.sqlite.retention import forget_days
from trimtab.store.sqlite.verify import verify

__all__ = [
    "SqliteAnswers",
    "SqliteComments",
    "SqliteExperiments",
    "SqliteKeys",
    "SqliteLedger",
    "SqliteReader",
    "SqliteRepricings",
    "catch_up",
    "forget_days",
    "open_answers",
    "open_comments",
    "open_experiments",
    "open_keys",
    "open_ledger",
    "open_reader",
    "open_repricings",
    "rebuild",
    "verify",
]
