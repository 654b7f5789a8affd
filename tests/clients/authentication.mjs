// How openid-client proves who it is: METHOD names the way, CLIENT_SECRET or PRIVATE_JWK is what it has.
import * as oidc from "openid-client";

const PARAMETERS = {
  ES256: { name: "ECDSA", namedCurve: "P-256" },
  RS256: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
  PS256: { name: "RSA-PSS", hash: "SHA-256" },
  EdDSA: { name: "Ed25519" },
};
const METHODS = {
  client_secret_basic: oidc.ClientSecretBasic,
  client_secret_post: oidc.ClientSecretPost,
  client_secret_jwt: oidc.ClientSecretJwt,
};

export async function clientAuthentication({ METHOD, CLIENT_SECRET, PRIVATE_JWK }) {
  if (METHOD !== "private_key_jwt") return METHODS[METHOD ?? "client_secret_basic"](CLIENT_SECRET);
  const { kid, alg, ...jwk } = JSON.parse(PRIVATE_JWK);
  const key = await crypto.subtle.importKey("jwk", jwk, PARAMETERS[alg], false, ["sign"]);
  return oidc.PrivateKeyJwt({ key, kid });
}
