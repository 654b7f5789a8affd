-- The clients that a session has signed in to, until it ends: those who are to be told.
CREATE TABLE session_clients (
    session_id TEXT NOT NULL,
    client_id TEXT NOT NULL,
    subject TEXT NOT NULL,
    noted_at BIGINT NOT NULL,
    PRIMARY KEY (session_id, client_id)
);
CREATE INDEX session_clients_by_subject ON session_clients (subject);

-- Logout tokens to be sent, from the end of a session until they have arrived. Nothing is due that was given up.
CREATE TABLE logouts (
    session_id TEXT NOT NULL,
    client_id TEXT NOT NULL,
    subject TEXT NOT NULL,
    ended_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    due_at BIGINT,
    problem TEXT NOT NULL,
    PRIMARY KEY (session_id, client_id)
);
CREATE INDEX logouts_by_due ON logouts (due_at) WHERE due_at IS NOT NULL;
