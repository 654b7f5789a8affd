-- The resources that a grant's access tokens may be for (RFC 8707), separated by spaces; nothing where it names none.
ALTER TABLE grants ADD COLUMN resources TEXT;
