-- When a client that registered itself was last known to be in use, to within a day; NULL for those of operators.
ALTER TABLE clients ADD COLUMN used_at BIGINT;
CREATE INDEX clients_by_use ON clients (client_id) WHERE used_at IS NOT NULL;

-- Who holds one may register clients; a token itself is nowhere.
CREATE TABLE initial_access_tokens (
    token_id TEXT NOT NULL PRIMARY KEY,
    token_hash TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    uses_left BIGINT,
    scope TEXT,
    note TEXT NOT NULL
);
