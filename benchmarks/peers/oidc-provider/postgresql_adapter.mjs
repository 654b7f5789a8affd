// Keeps everything in one table of PostgreSQL; each call of the adapter is one statement and one commit, as its contract
// has it. Statements are prepared once a connection.
import pg from 'pg';

let pool;

export async function openPostgresql(url, makeTable) {
  pool = new pg.Pool({ connectionString: url, max: 8 });
  if (!makeTable) return;
  await pool.query(`CREATE TABLE IF NOT EXISTS kept (
    model text NOT NULL, id text NOT NULL, payload jsonb NOT NULL, grant_id text, uid text, expires_at timestamptz,
    consumed_at timestamptz, PRIMARY KEY (model, id)
  )`);
  await pool.query('CREATE INDEX IF NOT EXISTS kept_by_grant ON kept (grant_id) WHERE grant_id IS NOT NULL');
}

function ask(name, text, values) {
  return pool.query({ name, text, values });
}

export class PostgresqlAdapter {
  constructor(model) {
    this.model = model;
  }

  async upsert(id, payload, expiresIn) {
    await ask(
      'upsert',
      `INSERT INTO kept (model, id, payload, grant_id, uid, expires_at)
       VALUES ($1, $2, $3, $4, $5, now() + make_interval(secs => $6))
       ON CONFLICT (model, id) DO UPDATE SET payload = excluded.payload, grant_id = excluded.grant_id,
         uid = excluded.uid, expires_at = excluded.expires_at`,
      [this.model, id, payload, payload.grantId ?? null, payload.uid ?? null, expiresIn ?? null],
    );
  }

  async find(id) {
    const { rows } = await ask(
      'find',
      `SELECT payload, extract(epoch FROM consumed_at)::bigint AS consumed FROM kept
       WHERE model = $1 AND id = $2 AND (expires_at IS NULL OR expires_at > now())`,
      [this.model, id],
    );
    if (!rows.length) return undefined;
    const { payload, consumed } = rows[0];
    return consumed ? { ...payload, consumed: Number(consumed) } : payload;
  }

  async findByUid() {}

  async findByUserCode() {}

  async consume(id) {
    await ask('consume', 'UPDATE kept SET consumed_at = now() WHERE model = $1 AND id = $2', [this.model, id]);
  }

  async destroy(id) {
    await ask('destroy', 'DELETE FROM kept WHERE model = $1 AND id = $2', [this.model, id]);
  }

  async revokeByGrantId(grantId) {
    await ask('revoke', 'DELETE FROM kept WHERE grant_id = $1', [grantId]);
  }
}
