// The unmodified openid-client on a device without a browser (RFC 8628).
import * as oidc from "openid-client";
import { errorOf, say, visit } from "./conversation.mjs";

const { ISSUER, CLIENT_ID } = process.env;

const config = await oidc.discovery(new URL(ISSUER), CLIENT_ID, {}, oidc.None(), {
  execute: [oidc.allowInsecureRequests],
});
const asked = await oidc.initiateDeviceAuthorization(config, { scope: "openid email offline_access" });
const polling = oidc.pollDeviceAuthorizationGrant(config, asked);
polling.catch(() => {}); // Told below.
await visit(asked.verification_uri_complete);
const error = await errorOf(polling);
const tokens = error ? {} : await polling;
const refreshed = error ? {} : await oidc.refreshTokenGrant(config, tokens.refresh_token);

say({
  result: {
    asked: { ...asked },
    error,
    tokens: { ...tokens },
    claims: error ? null : tokens.claims(),
    refreshed: { ...refreshed },
  },
});
