// The unmodified openid-client, as a machine that acts for itself.
import * as oidc from "openid-client";
import { say } from "./conversation.mjs";

const { ISSUER, CLIENT_ID, CLIENT_SECRET, METHOD } = process.env;
const methods = { client_secret_basic: oidc.ClientSecretBasic, client_secret_post: oidc.ClientSecretPost };

const config = await oidc.discovery(new URL(ISSUER), CLIENT_ID, {}, methods[METHOD](CLIENT_SECRET), {
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
