// The unmodified openid-client, as a machine that acts for itself.
import * as oidc from "openid-client";
import { clientAuthentication } from "./authentication.mjs";
import { say } from "./conversation.mjs";

const { ISSUER, CLIENT_ID } = process.env;

const config = await oidc.discovery(new URL(ISSUER), CLIENT_ID, {}, await clientAuthentication(process.env), {
  algorithm: "oauth2",
  execute: [oidc.allowInsecureRequests],
});
const tokens = await oidc.clientCredentialsGrant(config, { scope: "email" });
say({
  result: {
    tokens: { ...tokens },
    introspected: await oidc.tokenIntrospection(config, tokens.access_token),
  },
});
