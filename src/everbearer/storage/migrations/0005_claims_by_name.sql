-- What an authorization request asked for by name in its `claims` parameter.
ALTER TABLE grants ADD COLUMN claims TEXT; -- JSON
