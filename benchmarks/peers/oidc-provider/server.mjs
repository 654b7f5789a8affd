// panva's oidc-provider as an operator would set it up, with adapters of our own. Settings come by the environment:
// PORT, WORKERS, CLIENT_SECRET, SEEDS (how many refresh tokens of each kind to issue before listening), SEED_FILE (where
// they are written), DATABASE (a postgresql:// URL; empty to keep everything in this process), SHIPPED (not empty to do
// that by the adapter that it brings along, which keeps the newest thousand of each kind).
import cluster from 'node:cluster';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import { PLAN } from './plan.mjs';
import { MapAdapter } from './map_adapter.mjs';
import { openPostgresql, PostgresqlAdapter } from './postgresql_adapter.mjs';
import Provider from 'oidc-provider';

const { PORT, WORKERS, CLIENT_SECRET, SEEDS, SEED_FILE, DATABASE, SHIPPED, SIGNING_KEY } = process.env;
const issuer = `http://127.0.0.1:${PORT}`;
const resource = 'https://api.example';
const lifetimes = { AccessToken: 1800, ClientCredentials: 1800, IdToken: 300, RefreshToken: 30 * 24 * 3600, Grant: 365 * 24 * 3600 };

function client(client_id, more = {}) {
  return {
    client_id,
    client_secret: CLIENT_SECRET,
    token_endpoint_auth_method: 'client_secret_basic',
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    redirect_uris: ['https://client.example/callback'],
    id_token_signed_response_alg: 'ES256',
    ...more,
  };
}

function provider(signingKey) {
  return new Provider(issuer, {
    adapter: SHIPPED ? undefined : DATABASE ? PostgresqlAdapter : MapAdapter,
    jwks: { keys: [signingKey] },
    clients: [
      client('jwt'),
      client('opaque'),
      client('machine', { grant_types: ['client_credentials'], response_types: [], redirect_uris: [] }),
    ],
    scopes: ['openid', 'offline_access', 'orders.read'],
    rotateRefreshToken: true,
    ttl: lifetimes,
    cookies: { keys: ['not used by what is measured'] },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: (ctx) => (ctx.oidc.client.clientId === 'opaque' ? undefined : resource),
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: 'orders.read',
          audience: resource,
          accessTokenTTL: lifetimes.AccessToken,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
  });
}

async function seed(server, kind, number) {
  const { clientId, scope, withResource } = PLAN[kind];
  const accountId = `user-${number}`;
  const grant = new server.Grant({ accountId, clientId });
  grant.addOIDCScope(scope);
  grant.addResourceScope(resource, 'orders.read');
  const grantId = await grant.save(lifetimes.Grant);
  const now = Math.floor(Date.now() / 1000);
  const token = new server.RefreshToken({
    accountId,
    client: await server.Client.find(clientId),
    grantId,
    scope,
    gty: 'authorization_code',
    authTime: now,
    iiat: now,
    rotations: 0,
    expiresWithSession: false,
    ...(withResource ? { resource } : {}),
  });
  return token.save(lifetimes.RefreshToken);
}

// What waits long for its turn is forgotten by then: GET /seeds/N issues N more.
function seedOnDemand(server) {
  server.use(async (ctx, next) => {
    if (!ctx.path.startsWith('/seeds/')) return next();
    const tokens = [];
    for (let number = 0; number < Number(ctx.path.slice(7)); number += 1) tokens.push(await seed(server, 'refresh', number));
    ctx.body = tokens;
  });
}

async function seedAll(server) {
  const issued = {};
  for (const [kind, count] of Object.entries(JSON.parse(SEEDS))) {
    issued[kind] = [];
    for (let number = 0; number < count; number += 1) issued[kind].push(await seed(server, kind, number));
  }
  writeFileSync(`${SEED_FILE}.new`, JSON.stringify(issued));
  renameSync(`${SEED_FILE}.new`, SEED_FILE);
}

function newSigningKey() {
  const jwk = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
  return { ...jwk, use: 'sig', alg: 'ES256', kid: createHash('sha256').update(jwk.x).digest('hex').slice(0, 16) };
}

const signingKey = SIGNING_KEY ? JSON.parse(SIGNING_KEY) : newSigningKey();
if (DATABASE) await openPostgresql(DATABASE, cluster.isPrimary);
const server = provider(signingKey);
if (SHIPPED) seedOnDemand(server);
if (cluster.isPrimary) await seedAll(server);
if (cluster.isPrimary && Number(WORKERS) > 1) {
  for (let worker = 0; worker < Number(WORKERS); worker += 1) cluster.fork({ SIGNING_KEY: JSON.stringify(signingKey) });
  process.on('SIGTERM', () => process.exit(0));
} else {
  server.listen(Number(PORT), '127.0.0.1');
}
