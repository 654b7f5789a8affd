-- Devices that wait for their users to decide (RFC 8628). What one is allowed becomes the grant of the same id.
CREATE TABLE device_authorizations (
    grant_id TEXT NOT NULL PRIMARY KEY,
    user_code TEXT NOT NULL UNIQUE,
    client_id TEXT NOT NULL,
    scope TEXT NOT NULL,
    resources TEXT NOT NULL,
    secret TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    poll_interval BIGINT NOT NULL,
    polled_at BIGINT NOT NULL,
    decision TEXT NOT NULL,
    address TEXT NOT NULL,
    agent TEXT NOT NULL
);
CREATE INDEX device_authorizations_by_end ON device_authorizations (expires_at);
-- PostgreSQL alone
-- A poll writes its row anew. With room in the page it stays there, and no index learns of it.
ALTER TABLE device_authorizations SET (fillfactor = 50);
