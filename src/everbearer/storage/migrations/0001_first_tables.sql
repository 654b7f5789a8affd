-- One text for SQLite and PostgreSQL: TEXT and BIGINT alone. Times are seconds since 1970; binary values are base64url;
-- scope is the wire's string; "JSON" marks texts that hold it.

CREATE TABLE clients (
    client_id TEXT NOT NULL PRIMARY KEY,
    -- JSON: all settings. The lifetimes stand beside them once more, for the purge compares them with grants.
    metadata TEXT NOT NULL,
    access_token BIGINT NOT NULL,
    refresh_token BIGINT NOT NULL,
    refresh_token_idle BIGINT,
    authorization_code BIGINT NOT NULL
);

CREATE TABLE client_origins (
    origin TEXT NOT NULL,
    client_id TEXT NOT NULL,
    PRIMARY KEY (origin, client_id)
);
CREATE INDEX client_origins_by_client ON client_origins (client_id);

-- One row a grant, for ever. No index holds a column that a refresh changes.
CREATE TABLE grants (
    grant_id TEXT NOT NULL PRIMARY KEY,
    client_id TEXT NOT NULL,
    subject TEXT NOT NULL,
    scope TEXT NOT NULL,
    secret TEXT NOT NULL,
    offline BIGINT NOT NULL,
    auth_time BIGINT NOT NULL,
    amr TEXT NOT NULL, -- JSON
    acr TEXT NOT NULL,
    session_id TEXT NOT NULL,
    user_epoch BIGINT NOT NULL,
    client_epoch BIGINT NOT NULL,
    consent_epoch BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    rotated_at BIGINT NOT NULL,
    used_at BIGINT NOT NULL,
    generation BIGINT NOT NULL,
    confirmed BIGINT NOT NULL,
    retries BIGINT NOT NULL,
    late_generation BIGINT NOT NULL,
    late_streak BIGINT NOT NULL,
    idempotency_key TEXT NOT NULL,
    code TEXT, -- JSON
    history TEXT NOT NULL, -- JSON
    ended_at BIGINT,
    end_reason TEXT,
    ended_by TEXT
);
CREATE INDEX grants_by_subject ON grants (subject, created_at);
CREATE INDEX grants_by_client ON grants (client_id, created_at);
CREATE INDEX grants_by_session ON grants (session_id) WHERE session_id <> '';
CREATE INDEX grants_by_age ON grants (created_at);

-- The ends of everything of a user, client, consent or session; epochs of a key count from 1 without a gap. What was
-- created in epoch n is ended by the row of epoch n + 1. Epochs and not times, for the clocks of nodes differ.
CREATE TABLE ends (
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    reason TEXT NOT NULL,
    actor TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (kind, key, epoch)
);

CREATE TABLE users (
    subject TEXT NOT NULL PRIMARY KEY,
    login TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    claims TEXT NOT NULL, -- JSON
    disabled_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE sessions (
    session_id TEXT NOT NULL PRIMARY KEY,
    secret TEXT NOT NULL,
    subject TEXT NOT NULL,
    user_epoch BIGINT NOT NULL,
    auth_time BIGINT NOT NULL,
    amr TEXT NOT NULL, -- JSON
    flow TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    used_at BIGINT NOT NULL,
    address TEXT NOT NULL,
    agent TEXT NOT NULL
);
CREATE INDEX sessions_by_subject ON sessions (subject);

CREATE TABLE consents (
    subject TEXT NOT NULL,
    client_id TEXT NOT NULL,
    scope TEXT NOT NULL,
    granted_at BIGINT NOT NULL,
    PRIMARY KEY (subject, client_id)
);
CREATE INDEX consents_by_client ON consents (client_id);

CREATE TABLE attempts (
    bucket TEXT NOT NULL PRIMARY KEY,
    made BIGINT NOT NULL,
    until BIGINT NOT NULL
);
CREATE INDEX attempts_by_end ON attempts (until);

CREATE TABLE remembered (
    purpose TEXT NOT NULL,
    value TEXT NOT NULL,
    until BIGINT NOT NULL,
    PRIMARY KEY (purpose, value)
);
CREATE INDEX remembered_by_end ON remembered (until);

-- The audit trail: rows are added, never changed. The id begins with the time of writing, so it orders them.
CREATE TABLE events (
    event_id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    grant_id TEXT NOT NULL,
    client_id TEXT NOT NULL,
    subject TEXT NOT NULL,
    address TEXT NOT NULL,
    agent TEXT NOT NULL,
    details TEXT NOT NULL -- JSON
);
CREATE INDEX events_by_grant ON events (grant_id, event_id) WHERE grant_id <> '';
CREATE INDEX events_by_client ON events (client_id, event_id) WHERE client_id <> '';
CREATE INDEX events_by_subject ON events (subject, event_id) WHERE subject <> '';

-- Each key names the one it follows, so that of two nodes that rotate at once one is refused.
CREATE TABLE signing_keys (
    kid TEXT NOT NULL PRIMARY KEY,
    alg TEXT NOT NULL,
    predecessor TEXT NOT NULL,
    sealed TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    active_at BIGINT NOT NULL,
    retired_at BIGINT,
    UNIQUE (alg, predecessor)
);
