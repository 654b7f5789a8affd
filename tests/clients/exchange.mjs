// The unmodified openid-client in a service that was sent a token and calls another service (RFC 8693).
import * as oidc from "openid-client";
import { clientAuthentication } from "./authentication.mjs";
import { errorOf, say } from "./conversation.mjs";

const { ISSUER, CLIENT_ID, SUBJECT_TOKEN } = process.env;
const ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token";
const GRANT = "urn:ietf:params:oauth:grant-type:token-exchange";

const config = await oidc.discovery(new URL(ISSUER), CLIENT_ID, {}, await clientAuthentication(process.env), {
  execute: [oidc.allowInsecureRequests],
});
const asked = { subject_token: SUBJECT_TOKEN, subject_token_type: ACCESS_TOKEN, audience: "https://stock.example" };
const tokens = await oidc.genericGrantRequest(config, GRANT, { ...asked, scope: "email" });

say({
  result: {
    tokens: { ...tokens },
    introspected: await oidc.tokenIntrospection(config, tokens.access_token),
    elsewhere: await errorOf(oidc.genericGrantRequest(config, GRANT, { ...asked, audience: "https://other.example" })),
    nonsense: await errorOf(oidc.genericGrantRequest(config, GRANT, { ...asked, subject_token: "nonsense" })),
  },
});
