package store

// schemaVersion is PRAGMA user_version. A file of another version is refused, never rewritten in place.
const schemaVersion = 1

// applicationID marks the file as Parley's ("Prly"), so that another program's database is refused by name.
const applicationID = 0x50726c79

// The scope tables hold bytes as they were signed; the columns beside them are only what SQL must sort or find by, and
// integrity.go proves them against the bytes.
const schema = `
CREATE TABLE entries(
  scope BLOB NOT NULL CHECK(length(scope)=32),
  idx INTEGER NOT NULL CHECK(idx>=0),
  term INTEGER NOT NULL,
  hash BLOB NOT NULL CHECK(length(hash)=32),
  bytes BLOB NOT NULL,
  sigs BLOB NOT NULL,
  PRIMARY KEY(scope, idx)
) STRICT;
CREATE TABLE outbox(
  scope BLOB NOT NULL CHECK(length(scope)=32),
  side BLOB NOT NULL CHECK(length(side)=32),
  seq INTEGER NOT NULL CHECK(seq>=0),
  hash BLOB NOT NULL CHECK(length(hash)=32),
  bytes BLOB NOT NULL,
  PRIMARY KEY(scope, side, seq)
) STRICT;
CREATE TABLE heads(
  scope BLOB NOT NULL, side BLOB NOT NULL, idx INTEGER NOT NULL, head BLOB NOT NULL, sig BLOB NOT NULL,
  PRIMARY KEY(scope, side)
) STRICT;
CREATE TABLE evidence(
  n INTEGER PRIMARY KEY, scope BLOB NOT NULL, kind TEXT NOT NULL, of BLOB NOT NULL, term INTEGER NOT NULL,
  at INTEGER NOT NULL, a BLOB NOT NULL, b BLOB NOT NULL
) STRICT;
CREATE INDEX evidence_scope ON evidence(scope);
CREATE TABLE promises(
  scope BLOB PRIMARY KEY, term INTEGER NOT NULL, after INTEGER NOT NULL, vote BLOB NOT NULL
) STRICT;
CREATE TABLE snapshots(
  scope BLOB PRIMARY KEY, idx INTEGER NOT NULL, hash BLOB NOT NULL, state BLOB NOT NULL, sum BLOB NOT NULL
) STRICT;

CREATE TABLE settings(key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
CREATE TABLE enrolments(
  id BLOB PRIMARY KEY CHECK(length(id)=16), device BLOB NOT NULL, name TEXT NOT NULL, note TEXT NOT NULL,
  language TEXT NOT NULL, since INTEGER NOT NULL, state TEXT NOT NULL CHECK(state IN ('waiting','accredited','declined')),
  accreditation BLOB NOT NULL, answer TEXT NOT NULL
) STRICT;
CREATE INDEX enrolments_device ON enrolments(device);
CREATE TABLE accreditations(
  device BLOB PRIMARY KEY, person TEXT NOT NULL, at INTEGER NOT NULL, signed BLOB NOT NULL
) STRICT;
CREATE INDEX accreditations_person ON accreditations(person);
CREATE TABLE revocations(
  n INTEGER PRIMARY KEY, person TEXT NOT NULL, device BLOB NOT NULL, at INTEGER NOT NULL, signed BLOB NOT NULL UNIQUE
) STRICT;
CREATE TABLE links(
  side BLOB PRIMARY KEY, card BLOB NOT NULL, address TEXT NOT NULL, added INTEGER NOT NULL
) STRICT;
CREATE TABLE verifications(
  side BLOB PRIMARY KEY REFERENCES links(side) ON DELETE CASCADE,
  how TEXT NOT NULL, at INTEGER NOT NULL, by TEXT NOT NULL
) STRICT;
CREATE TABLE sessions(
  scope BLOB PRIMARY KEY, title BLOB NOT NULL, status TEXT NOT NULL, state TEXT NOT NULL, starts INTEGER NOT NULL,
  ends INTEGER NOT NULL, proposer BLOB NOT NULL
) STRICT;
CREATE TABLE security(
  n INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, scope BLOB NOT NULL, side BLOB NOT NULL,
  person TEXT NOT NULL, detail TEXT NOT NULL
) STRICT;
`
