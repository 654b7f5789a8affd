// The kinds of refresh tokens that are issued before measuring.
export const PLAN = {
  refresh: { clientId: 'jwt', scope: 'offline_access orders.read', withResource: true },
  'refresh, id_token': { clientId: 'jwt', scope: 'openid offline_access orders.read', withResource: true },
  'refresh, opaque': { clientId: 'opaque', scope: 'offline_access', withResource: false },
  'openid, opaque': { clientId: 'opaque', scope: 'openid offline_access', withResource: false },
};
