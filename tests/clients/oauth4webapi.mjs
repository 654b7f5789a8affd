// The unmodified oauth4webapi: a public client with PKCE, every check that the library has switched on.
import * as oauth from "oauth4webapi";
import { errorOf, say, visit } from "./conversation.mjs";

const { ISSUER, CLIENT_ID, REDIRECT_URI } = process.env;
const insecure = { [oauth.allowInsecureRequests]: true };
const issuer = new URL(ISSUER);
const client = { client_id: CLIENT_ID, id_token_signed_response_alg: "ES256" };
const none = oauth.None();

const discovered = {};
for (const algorithm of ["oidc", "oauth2"]) {
  const response = await oauth.discoveryRequest(issuer, { algorithm, ...insecure });
  discovered[algorithm] = await oauth.processDiscoveryResponse(issuer, response);
}
const as = discovered.oidc;

const verifier = oauth.generateRandomCodeVerifier();
const state = oauth.generateRandomState();
const nonce = oauth.generateRandomNonce();
const authorize = new URL(as.authorization_endpoint);
authorize.search = new URLSearchParams({
  client_id: CLIENT_ID,
  redirect_uri: REDIRECT_URI,
  response_type: "code",
  scope: "openid profile offline_access",
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  state,
  nonce,
});
const callback = oauth.validateAuthResponse(as, client, await visit(authorize), state);

const answer = await oauth.authorizationCodeGrantRequest(
  as, client, none, callback, REDIRECT_URI, verifier, insecure,
);
const tokens = await oauth.processAuthorizationCodeResponse(as, client, answer, {
  expectedNonce: nonce,
  requireIdToken: true,
});
await oauth.validateApplicationLevelSignature(as, answer, insecure);
const claims = oauth.getValidatedIdTokenClaims(tokens);

const userinfo = await oauth.processUserInfoResponse(
  as, client, claims.sub, await oauth.userInfoRequest(as, client, tokens.access_token, insecure),
);
const jwt = await oauth.validateJwtAccessToken(
  as,
  new Request("https://api.example.com/", { headers: { authorization: `Bearer ${tokens.access_token}` } }),
  ISSUER,
  insecure,
);

const refresh = async (token, parameters = {}) => {
  const response = await oauth.refreshTokenGrantRequest(as, client, none, token, {
    ...insecure,
    additionalParameters: parameters,
  });
  return oauth.processRefreshTokenResponse(as, client, response);
};
const refreshed = await refresh(tokens.refresh_token);
// The answer to this one is lost, and asked for again.
const lost = await refresh(refreshed.refresh_token);
const retried = await refresh(refreshed.refresh_token);
const wider = await errorOf(refresh(retried.refresh_token, { scope: "openid email" }));
const last = await refresh(retried.refresh_token);
await oauth.processRevocationResponse(
  await oauth.revocationRequest(as, client, none, last.refresh_token, insecure),
);

say({
  result: {
    discovered,
    tokens,
    claims,
    userinfo,
    jwt,
    refreshed,
    lost,
    retried,
    wider,
    refused: await errorOf(refresh(last.refresh_token)),
  },
});
