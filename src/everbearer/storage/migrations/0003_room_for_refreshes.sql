-- PostgreSQL alone
-- A refresh writes its row anew. With room in the page it stays there, and no index learns of it.
ALTER TABLE grants SET (fillfactor = 90);
-- The history stays in its row too, also the longest.
ALTER TABLE grants ALTER COLUMN history SET STORAGE MAIN;
-- Of millions of rows a fifth is many.
ALTER TABLE grants SET (autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);
