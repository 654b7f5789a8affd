// The unmodified openid-client: a web application's whole life with a user.
import * as oidc from "openid-client";
import { clientAuthentication } from "./authentication.mjs";
import { errorOf, say, visit } from "./conversation.mjs";

const { ISSUER, CLIENT_ID, REDIRECT_URI, ALG } = process.env;

// Servers under test speak plain HTTP on loopback; signatures are checked all the same.
const config = await oidc.discovery(
  new URL(ISSUER),
  CLIENT_ID,
  { id_token_signed_response_alg: ALG },
  await clientAuthentication(process.env),
  { execute: [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks] },
);

const verifier = oidc.randomPKCECodeVerifier();
const state = oidc.randomState();
const nonce = oidc.randomNonce();
const callback = await visit(
  oidc.buildAuthorizationUrl(config, {
    redirect_uri: REDIRECT_URI,
    scope: "openid email offline_access",
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state,
    nonce,
  }),
);
const tokens = await oidc.authorizationCodeGrant(config, callback, {
  pkceCodeVerifier: verifier,
  expectedState: state,
  expectedNonce: nonce,
  idTokenExpected: true,
});
const claims = tokens.claims();
const userinfo = await oidc.fetchUserInfo(config, tokens.access_token, claims.sub);
const refreshed = await oidc.refreshTokenGrant(config, tokens.refresh_token);
const narrowed = await oidc.refreshTokenGrant(config, refreshed.refresh_token ?? tokens.refresh_token, {
  scope: "openid",
});
const newest = narrowed.refresh_token ?? refreshed.refresh_token ?? tokens.refresh_token;
const before = await oidc.tokenIntrospection(config, refreshed.access_token);
const asked = await oidc.tokenIntrospection(config, newest);
await oidc.tokenRevocation(config, newest);
const after = await oidc.tokenIntrospection(config, refreshed.access_token);

say({
  result: {
    metadata: config.serverMetadata(),
    tokens: { ...tokens },
    claims,
    userinfo,
    refreshed: { ...refreshed },
    refreshed_claims: refreshed.claims(),
    narrowed: { ...narrowed },
    introspected: { before, asked, after },
    refused: await errorOf(oidc.refreshTokenGrant(config, newest)),
    nonsense: await errorOf(oidc.refreshTokenGrant(config, "nonsense")),
    end_session: String(
      oidc.buildEndSessionUrl(config, {
        id_token_hint: refreshed.id_token,
        post_logout_redirect_uri: process.env.POST_LOGOUT_REDIRECT_URI ?? "",
        state: "bye",
      }),
    ),
  },
});
