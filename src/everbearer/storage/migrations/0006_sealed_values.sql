-- Secrets of the server that outlive the one it is configured with, each sealed with that.
CREATE TABLE sealed_values (
    name TEXT NOT NULL PRIMARY KEY,
    sealed TEXT NOT NULL
);
