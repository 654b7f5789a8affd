// The unmodified oauth4webapi on a device without a browser, step by step (RFC 8628).
import * as oauth from "oauth4webapi";
import { say, visit } from "./conversation.mjs";

const { ISSUER, CLIENT_ID } = process.env;
const plain = { [oauth.allowInsecureRequests]: true };
const issuer = new URL(ISSUER);
const client = { client_id: CLIENT_ID };

const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, plain));
const asked = await oauth.processDeviceAuthorizationResponse(
  server,
  client,
  await oauth.deviceAuthorizationRequest(server, client, oauth.None(), { scope: "openid" }, plain),
);

async function poll() {
  const response = await oauth.deviceCodeGrantRequest(server, client, oauth.None(), asked.device_code, plain);
  try {
    return await oauth.processDeviceCodeResponse(server, client, response);
  } catch (error) {
    return { error: error.error };
  }
}

const before = await poll();
const hurried = await poll();
await visit(asked.verification_uri_complete);
const tokens = await poll();
const again = await poll();

say({ result: { before, hurried, tokens, again } });
