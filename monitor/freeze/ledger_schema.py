"""The ledger's one table, and the triggers with which the database itself refuses to change it.

The columns beside `body` are for a person with a database shell; what counts is the body, and the chain covers it.
"""

from typing import get_args

from monitor.freeze.entry import Entry

TABLE = "freeze_ledger"
SCHEMA = "cexwatch_freeze"  # PostgreSQL only

_KINDS = ", ".join(f"'{each.__struct_config__.tag}'" for each in get_args(Entry))
_REFUSED = "the freeze ledger only grows: nothing in it is changed or removed"
_EARLIER = "a freeze only ever ends later"

SQLITE = (
    f"""CREATE TABLE IF NOT EXISTS {TABLE} (
    seq INTEGER PRIMARY KEY CHECK (seq > 0),
    kind TEXT NOT NULL CHECK (kind IN ({_KINDS})),
    account BLOB CHECK ((kind = 'freeze_activated') = (account IS NOT NULL)),
    until INTEGER CHECK ((kind = 'freeze_activated') = (until IS NOT NULL)),
    body BLOB NOT NULL,
    digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32)
) STRICT""",
    f"CREATE INDEX IF NOT EXISTS {TABLE}_account ON {TABLE} (account, until) WHERE until IS NOT NULL",
    f"""CREATE TRIGGER IF NOT EXISTS {TABLE}_update BEFORE UPDATE ON {TABLE}
    BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END""",
    f"""CREATE TRIGGER IF NOT EXISTS {TABLE}_delete BEFORE DELETE ON {TABLE}
    BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END""",
    # INSERT OR REPLACE deletes what it replaces and fires no trigger of deletion.
    f"""CREATE TRIGGER IF NOT EXISTS {TABLE}_insert BEFORE INSERT ON {TABLE}
    WHEN NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM {TABLE})
        OR EXISTS (SELECT 1 FROM {TABLE} WHERE digest = NEW.digest)
    BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END""",  # noqa: S608 - names of ours
    f"""CREATE TRIGGER IF NOT EXISTS {TABLE}_until BEFORE INSERT ON {TABLE}
    WHEN NEW.until < (SELECT max(until) FROM {TABLE} WHERE account = NEW.account AND until IS NOT NULL)
    BEGIN SELECT RAISE(ABORT, '{_EARLIER}'); END""",  # noqa: S608 - names of ours
)

POSTGRESQL = (
    f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}",
    f"""CREATE TABLE IF NOT EXISTS {SCHEMA}.{TABLE} (
    seq bigint PRIMARY KEY CHECK (seq > 0),
    kind text NOT NULL CHECK (kind IN ({_KINDS})),
    account bytea CHECK ((kind = 'freeze_activated') = (account IS NOT NULL)),
    until bigint CHECK ((kind = 'freeze_activated') = (until IS NOT NULL)),
    body bytea NOT NULL,
    digest bytea NOT NULL UNIQUE CHECK (length(digest) = 32)
)""",
    f"CREATE INDEX IF NOT EXISTS {TABLE}_account ON {SCHEMA}.{TABLE} (account, until) WHERE until IS NOT NULL",
    f"""CREATE OR REPLACE FUNCTION {SCHEMA}.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION '{_REFUSED}'; END $$""",
    f"""CREATE OR REPLACE FUNCTION {SCHEMA}.later() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM {SCHEMA}.{TABLE}) THEN
            RAISE EXCEPTION '{_REFUSED}';
        END IF;
        IF NEW.until < (SELECT max(until) FROM {SCHEMA}.{TABLE} WHERE account = NEW.account AND until IS NOT NULL) THEN
            RAISE EXCEPTION '{_EARLIER}';
        END IF;
        RETURN NEW;
    END $$""",  # noqa: S608 - names of ours
    f"""CREATE OR REPLACE TRIGGER {TABLE}_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {SCHEMA}.{TABLE}
    FOR EACH STATEMENT EXECUTE FUNCTION {SCHEMA}.refuse()""",
    f"""CREATE OR REPLACE TRIGGER {TABLE}_until BEFORE INSERT ON {SCHEMA}.{TABLE}
    FOR EACH ROW EXECUTE FUNCTION {SCHEMA}.later()""",
)
