// The unmodified openid-client: tokens for one API after another, and one for userinfo.
import * as oidc from "openid-client";
import { clientAuthentication } from "./authentication.mjs";
import { errorOf, say, visit } from "./conversation.mjs";

const { ISSUER, CLIENT_ID, REDIRECT_URI, ORDERS, FILES } = process.env;

const config = await oidc.discovery(new URL(ISSUER), CLIENT_ID, {}, await clientAuthentication(process.env), {
  execute: [oidc.allowInsecureRequests],
});

const verifier = oidc.randomPKCECodeVerifier();
const parameters = new URLSearchParams({
  redirect_uri: REDIRECT_URI,
  scope: "openid email orders offline_access",
  code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
});
for (const resource of [ORDERS, FILES]) parameters.append("resource", resource);

const callback = await visit(oidc.buildAuthorizationUrl(config, parameters));
const tokens = await oidc.authorizationCodeGrant(
  config,
  callback,
  { pkceCodeVerifier: verifier, idTokenExpected: true },
  { resource: ORDERS },
);
const files = await oidc.refreshTokenGrant(config, tokens.refresh_token, { resource: FILES });
const own = await oidc.refreshTokenGrant(config, tokens.refresh_token, { resource: ISSUER });

say({
  result: {
    tokens: { ...tokens },
    files: { ...files },
    userinfo: await oidc.fetchUserInfo(config, own.access_token, tokens.claims().sub),
    refused: await errorOf(oidc.fetchUserInfo(config, files.access_token, tokens.claims().sub)),
    other: await errorOf(
      oidc.refreshTokenGrant(config, tokens.refresh_token, { resource: "https://other.example/" }),
    ),
  },
});
