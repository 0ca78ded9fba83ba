"""Every table of trimtab on SQLite. Eight kinds of file, each with its own life."""

from typing import Final

__all__ = [
    "ANSWERS",
    "ANSWERS_VERSION",
    "CONTROL",
    "CONTROL_VERSION",
    "DAY",
    "DAY_INDEXES",
    "DERIVED_VERSION",
    "EXPERIMENTS",
    "FEEDBACK",
    "LEDGER",
    "REPRICINGS",
    "ROLLUPS",
    "VERSION",
]

VERSION: Final = 1
"""Of the ledger, of corrections and of experiments; kept in `PRAGMA user_version`."""

CONTROL_VERSION: Final = 2
"""Of the keys."""

DERIVED_VERSION: Final = 6
"""Of day files, rollups and feedback, which can be made anew from the ledger."""

ANSWERS_VERSION: Final = 1
"""Of the response cache, whose file is thrown away if it is of another version."""

# Entries only ever come at the end: so a table by rowid has a fifth fewer pages to write than one
# WITHOUT ROWID.
LEDGER: Final = """
CREATE TABLE writers (
    writer          INTEGER PRIMARY KEY,
    pid             INTEGER NOT NULL,
    started_ns      INTEGER NOT NULL,
    first_prev_hash BLOB    NOT NULL,
    head_seq        INTEGER NOT NULL,
    head_hash       BLOB    NOT NULL,
    closed_ns       INTEGER
) STRICT;

CREATE TABLE entries (
    writer INTEGER NOT NULL,
    seq    INTEGER NOT NULL,
    kind   TEXT    NOT NULL,
    body   BLOB    NOT NULL,
    hash   BLOB    NOT NULL,
    PRIMARY KEY (writer, seq)
) STRICT;
"""

REPRICINGS: Final = """
CREATE TABLE repricings (
    set_id     TEXT    PRIMARY KEY,
    created_ns INTEGER NOT NULL,
    since_ns   INTEGER NOT NULL,
    until_ns   INTEGER NOT NULL
) STRICT;

CREATE TABLE repriced (
    set_id               TEXT    NOT NULL,
    day                  TEXT    NOT NULL,
    model                TEXT    NOT NULL,
    charged_version      TEXT    NOT NULL,
    corrected_version    TEXT    NOT NULL,
    calls                INTEGER NOT NULL,
    charged_nanousd      INTEGER NOT NULL,
    corrected_nanousd    INTEGER,
    tier_unknown_nanousd INTEGER NOT NULL,
    PRIMARY KEY (set_id, day, model, charged_version, corrected_version)
) STRICT, WITHOUT ROWID;
"""

EXPERIMENTS: Final = """
CREATE TABLE rows (
    setup_hash   TEXT    NOT NULL,
    case_hash    TEXT    NOT NULL,
    repeat       INTEGER NOT NULL,
    served_model TEXT    NOT NULL,
    ok           INTEGER NOT NULL,
    at_ns        INTEGER NOT NULL,
    body         BLOB    NOT NULL,
    PRIMARY KEY (setup_hash, case_hash, repeat, served_model)
) STRICT, WITHOUT ROWID;

CREATE TABLE marks (
    setup_hash     TEXT    NOT NULL,
    case_hash      TEXT    NOT NULL,
    repeat         INTEGER NOT NULL,
    served_model   TEXT    NOT NULL,
    evaluator_hash TEXT    NOT NULL,
    body           BLOB    NOT NULL,
    PRIMARY KEY (setup_hash, case_hash, repeat, served_model, evaluator_hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE experiments (
    id         TEXT    PRIMARY KEY,
    suite      TEXT    NOT NULL,
    started_ns INTEGER NOT NULL,
    body       BLOB    NOT NULL,
    summary    BLOB    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX experiments_by_start ON experiments (started_ns);
"""

CONTROL: Final = """
CREATE TABLE keys (
    key_id     TEXT    PRIMARY KEY,
    name       TEXT    NOT NULL,
    prefix     TEXT    NOT NULL,
    team       TEXT    NOT NULL,
    created_ns INTEGER NOT NULL,
    revoked_ns INTEGER,
    console    INTEGER NOT NULL,
    digest     BLOB    NOT NULL UNIQUE
) STRICT;
"""

DAY: Final = """
CREATE TABLE events (
    started_ns              INTEGER NOT NULL,
    inference_id            TEXT    NOT NULL,
    key_id                  TEXT    NOT NULL,
    team                    TEXT    NOT NULL,
    user                    TEXT    NOT NULL,
    user_class              TEXT    NOT NULL,
    session                 TEXT    NOT NULL,
    route                   TEXT    NOT NULL,
    alias                   TEXT    NOT NULL,
    provider                TEXT    NOT NULL,
    model                   TEXT    NOT NULL,
    served_model            TEXT    NOT NULL,
    streamed                INTEGER NOT NULL,
    outcome                 TEXT    NOT NULL,
    status                  INTEGER NOT NULL,
    error_code              TEXT    NOT NULL,
    finish_reason           TEXT    NOT NULL,
    provider_request_id     TEXT    NOT NULL,
    attempts                INTEGER NOT NULL,
    latency_us              INTEGER NOT NULL,
    ttft_us                 INTEGER,
    input_tokens            INTEGER NOT NULL,
    cache_read_tokens       INTEGER NOT NULL,
    cache_write_tokens      INTEGER NOT NULL,
    output_tokens           INTEGER NOT NULL,
    reasoning_tokens        INTEGER NOT NULL,
    cost_nanousd            INTEGER NOT NULL,
    usage_source            TEXT    NOT NULL,
    price_version           TEXT    NOT NULL,
    cause                   TEXT    NOT NULL,
    rung                    INTEGER NOT NULL,
    wasted_nanousd          INTEGER NOT NULL,
    saved_nanousd           INTEGER NOT NULL,
    repeat                  INTEGER NOT NULL,
    prompt                  TEXT    NOT NULL,
    prompt_version          TEXT    NOT NULL,
    prompt_hash             TEXT    NOT NULL,
    prompt_arm              TEXT    NOT NULL,
    form                    TEXT    NOT NULL,
    hold_nanousd            INTEGER NOT NULL,
    input_audio_tokens      INTEGER NOT NULL,
    output_audio_tokens     INTEGER NOT NULL,
    cache_read_audio_tokens INTEGER NOT NULL,
    cache_write_1h_tokens   INTEGER NOT NULL,
    PRIMARY KEY (started_ns, inference_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX events_by_id ON events (inference_id);
CREATE INDEX events_by_user ON events (user, started_ns);

-- Only of inferences that took more than one: the event tells all of a single attempt.
CREATE TABLE attempts (
    inference_id TEXT    NOT NULL,
    attempt      INTEGER NOT NULL,
    record       TEXT    NOT NULL,
    PRIMARY KEY (inference_id, attempt)
) STRICT, WITHOUT ROWID;

CREATE TABLE bodies (
    inference_id TEXT PRIMARY KEY,
    request      BLOB NOT NULL,
    response     BLOB NOT NULL
) STRICT;
"""

# Made once a day is over: to keep them while it fills would cost more than the rows themselves.
DAY_INDEXES: Final = """
CREATE INDEX IF NOT EXISTS events_by_cost ON events (cost_nanousd, started_ns);
CREATE INDEX IF NOT EXISTS events_by_latency ON events (latency_us, started_ns);
CREATE INDEX IF NOT EXISTS events_by_session ON events (session, started_ns);
"""

ROLLUPS: Final = """
CREATE TABLE rollups (
    tier_s             INTEGER NOT NULL,
    dimension          TEXT    NOT NULL,
    start_s            INTEGER NOT NULL,
    value              TEXT    NOT NULL,
    requests           INTEGER NOT NULL,
    ok                 INTEGER NOT NULL,
    errors             INTEGER NOT NULL,
    timeouts           INTEGER NOT NULL,
    cancelled          INTEGER NOT NULL,
    input_tokens       INTEGER NOT NULL,
    cache_read_tokens  INTEGER NOT NULL,
    cache_write_tokens INTEGER NOT NULL,
    output_tokens      INTEGER NOT NULL,
    reasoning_tokens   INTEGER NOT NULL,
    cost_nanousd       INTEGER NOT NULL,
    estimated_nanousd  INTEGER NOT NULL,
    latency_max_us     INTEGER NOT NULL,
    ttft_max_us        INTEGER NOT NULL,
    latency            BLOB    NOT NULL,
    ttft               BLOB    NOT NULL,
    cost               BLOB    NOT NULL,
    PRIMARY KEY (tier_s, dimension, start_s, value)
) STRICT, WITHOUT ROWID;

-- What was projected and not yet added to the tables above and below; of few samples each.
CREATE TABLE tail (
    number  INTEGER PRIMARY KEY,
    count   INTEGER NOT NULL,
    samples BLOB    NOT NULL
) STRICT;

-- What ladders did, by route, cause and rung of the attempt that was served. Inferences that took
-- one attempt, made for no other reason than to be the first, have no part in it.
CREATE TABLE ladder (
    tier_s            INTEGER NOT NULL,
    start_s           INTEGER NOT NULL,
    route             TEXT    NOT NULL,
    cause             TEXT    NOT NULL,
    rung              INTEGER NOT NULL,
    inferences        INTEGER NOT NULL,
    ok                INTEGER NOT NULL,
    failed            INTEGER NOT NULL,
    firsts            INTEGER NOT NULL,
    first_failed      INTEGER NOT NULL,
    rescued           INTEGER NOT NULL,
    attempts          INTEGER NOT NULL,
    attempts_failed   INTEGER NOT NULL,
    retries           INTEGER NOT NULL,
    fallbacks         INTEGER NOT NULL,
    hedges            INTEGER NOT NULL,
    hedges_won        INTEGER NOT NULL,
    continued         INTEGER NOT NULL,
    wasted_nanousd    INTEGER NOT NULL,
    hedge_nanousd     INTEGER NOT NULL,
    saved_nanousd     INTEGER NOT NULL,
    inference_latency BLOB    NOT NULL,
    inference_ttft    BLOB    NOT NULL,
    first_latency     BLOB    NOT NULL,
    first_ttft        BLOB    NOT NULL,
    attempt_latency   BLOB    NOT NULL,
    attempt_ttft      BLOB    NOT NULL,
    PRIMARY KEY (tier_s, start_s, route, cause, rung)
) STRICT, WITHOUT ROWID;

-- What is not in `ladder` yet; it is added together with the other tail.
CREATE TABLE ladder_tail (
    number  INTEGER PRIMARY KEY,
    samples BLOB    NOT NULL
) STRICT;

-- What a bill is explained by: attempts by everything that they have in common, hour by hour.
CREATE TABLE spend (
    start_s                 INTEGER NOT NULL,
    user_class              TEXT    NOT NULL,
    route                   TEXT    NOT NULL,
    model                   TEXT    NOT NULL,
    cause                   TEXT    NOT NULL,
    rung                    INTEGER NOT NULL,
    fate                    TEXT    NOT NULL,
    repeat                  INTEGER NOT NULL,
    with_user               INTEGER NOT NULL,
    with_session            INTEGER NOT NULL,
    inferences              INTEGER NOT NULL,
    attempts                INTEGER NOT NULL,
    cost_nanousd            INTEGER NOT NULL,
    saved_nanousd           INTEGER NOT NULL,
    input_tokens            INTEGER NOT NULL,
    cache_read_tokens       INTEGER NOT NULL,
    cache_write_tokens      INTEGER NOT NULL,
    input_audio_tokens      INTEGER NOT NULL,
    output_tokens           INTEGER NOT NULL,
    reasoning_tokens        INTEGER NOT NULL,
    output_audio_tokens     INTEGER NOT NULL,
    cache_read_audio_tokens INTEGER NOT NULL,
    cache_write_1h_tokens   INTEGER NOT NULL,
    PRIMARY KEY (
        start_s, user_class, route, model, cause, rung, fate, repeat, with_user, with_session
    )
) STRICT, WITHOUT ROWID;

-- Who came in an hour: sessions that began, and the users that were seen, by id of `users`.
CREATE TABLE visits (
    start_s    INTEGER NOT NULL,
    user_class TEXT    NOT NULL,
    sessions   INTEGER NOT NULL,
    dense      INTEGER NOT NULL,
    users      BLOB    NOT NULL,
    PRIMARY KEY (start_s, user_class)
) STRICT, WITHOUT ROWID;

-- The first hour of each session on each UTC day, to know which have begun.
CREATE TABLE sessions (
    day     INTEGER NOT NULL,
    session INTEGER NOT NULL,
    start_s INTEGER NOT NULL,
    PRIMARY KEY (day, session)
) STRICT, WITHOUT ROWID;

-- What is not in `spend`, `visits` and `sessions` yet; it is added together with the other tails.
CREATE TABLE spend_tail (
    number INTEGER PRIMARY KEY,
    chunk  BLOB    NOT NULL
) STRICT;

-- What versions of prompts did, by hour and by day; only inferences of a prompt have part in it.
CREATE TABLE prompts (
    tier_s        INTEGER NOT NULL,
    start_s       INTEGER NOT NULL,
    prompt        TEXT    NOT NULL,
    version       TEXT    NOT NULL,
    hash          TEXT    NOT NULL,
    arm           TEXT    NOT NULL,
    inferences    INTEGER NOT NULL,
    ok            INTEGER NOT NULL,
    errors        INTEGER NOT NULL,
    timeouts      INTEGER NOT NULL,
    cancelled     INTEGER NOT NULL,
    cached        INTEGER NOT NULL,
    form_ok       INTEGER NOT NULL,
    form_invalid  INTEGER NOT NULL,
    refused       INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    cost_nanousd  INTEGER NOT NULL,
    cost          BLOB    NOT NULL,
    latency       BLOB    NOT NULL,
    output        BLOB    NOT NULL,
    PRIMARY KEY (tier_s, start_s, prompt, version, hash, arm)
) STRICT, WITHOUT ROWID;

-- What is not in `prompts` yet; it is added together with the other tails.
CREATE TABLE prompt_tail (
    number INTEGER PRIMARY KEY,
    rows   BLOB    NOT NULL
) STRICT;

-- Days that users, keys and teams have rows of; those of a closed day have rows by day as well.
-- closed is 0, or a stamp: a number drawn anew whenever a row of the closed day changes.
CREATE TABLE days (
    start_s INTEGER PRIMARY KEY,
    closed  INTEGER NOT NULL
) STRICT;

-- Cost of every user in an hour or a closed day: what a ranking needs, without the rest.
-- Written and read by user_costs.py.
CREATE TABLE costs (
    tier_s  INTEGER NOT NULL,
    start_s INTEGER NOT NULL,
    dense   INTEGER NOT NULL,
    ids     BLOB    NOT NULL,
    amounts BLOB    NOT NULL,
    PRIMARY KEY (tier_s, start_s)
) STRICT;

CREATE TABLE users (
    id   INTEGER PRIMARY KEY,
    user TEXT    NOT NULL UNIQUE
) STRICT;

CREATE TABLE open_inferences (
    inference_id TEXT    PRIMARY KEY,
    started_ns   INTEGER NOT NULL,
    state        BLOB    NOT NULL
) STRICT;

CREATE TABLE cursors (
    writer INTEGER PRIMARY KEY,
    seq    INTEGER NOT NULL,
    hash   BLOB    NOT NULL
) STRICT;
"""

FEEDBACK: Final = """
CREATE TABLE feedback (
    inference_id TEXT    NOT NULL,
    metric       TEXT    NOT NULL,
    user         TEXT    NOT NULL,
    given_ns     INTEGER NOT NULL,
    writer       INTEGER NOT NULL,
    seq          INTEGER NOT NULL,
    value        REAL    NOT NULL,
    bad          INTEGER,
    prompt       TEXT    NOT NULL,
    version      TEXT    NOT NULL,
    hash         TEXT    NOT NULL,
    arm          TEXT    NOT NULL,
    model        TEXT    NOT NULL,
    PRIMARY KEY (inference_id, metric, user)
) STRICT, WITHOUT ROWID;
CREATE INDEX feedback_by_time ON feedback (given_ns);

-- Not derived from the ledger: they are texts of users, and go with the day of their inference.
CREATE TABLE comments (
    inference_id TEXT NOT NULL,
    metric       TEXT NOT NULL,
    user         TEXT NOT NULL,
    day          TEXT NOT NULL,
    comment      TEXT NOT NULL,
    PRIMARY KEY (inference_id, metric, user)
) STRICT, WITHOUT ROWID;
"""

# Two processes may make it at the same time.
ANSWERS: Final = """
CREATE TABLE IF NOT EXISTS answers (
    key        BLOB    PRIMARY KEY,
    created_ns INTEGER NOT NULL,
    answer     BLOB    NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS answers_by_age ON answers (created_ns, key);
"""
