// The unmodified openid-client: a web application's whole life with a user.
import * as oidc from "openid-client";
import { clientAuthentication } from "./authentication.mjs";
import { errorOf, say, visit } from "./conversation.mjs";

const { ISSUER, CLIENT_ID, REDIRECT_URI, ALG, DECRYPTION_JWK } = process.env;

// Servers under test speak plain HTTP on loopback; signatures are checked all the same.
const config = await oidc.discovery(
  new URL(ISSUER),
  CLIENT_ID,
  {
    id_token_signed_response_alg: ALG,
    ...(DECRYPTION_JWK ? { userinfo_signed_response_alg: ALG, introspection_signed_response_alg: ALG } : {}),
  },
  await clientAuthentication(process.env),
  { execute: [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks] },
);

// With a key to decrypt with, everything must come encrypted, and what is inside must be signed.
if (DECRYPTION_JWK) {
  const { alg, kid, ...jwk } = JSON.parse(DECRYPTION_JWK);
  const curve = { name: jwk.crv === "X25519" ? "X25519" : "ECDH", namedCurve: jwk.crv };
  const hash = { name: "RSA-OAEP", hash: alg === "RSA-OAEP-256" ? "SHA-256" : "SHA-1" };
  const [algorithm, usage] = jwk.kty === "RSA" ? [hash, "decrypt"] : [curve, "deriveBits"];
  const key = await crypto.subtle.importKey("jwk", jwk, algorithm, false, [usage]);
  oidc.enableDecryptingResponses(config, ["A256GCM", "A128GCM", "A128CBC-HS256"], { key, alg, kid });
}

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
