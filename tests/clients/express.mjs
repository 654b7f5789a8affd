// The Express and axios sample of the documents this server was written for, in substance: what it sends is theirs.
import { createRequire } from "node:module";
import { say } from "./conversation.mjs";

const require = createRequire(import.meta.url);
const express = require("express");
const axios = require(process.env.AXIOS);

const origin = new URL(process.env.ORIGIN);
const form = { headers: { "Content-Type": "application/x-www-form-urlencoded" } };
const config = {
  client: { id: process.env.CLIENT_ID, secret: process.env.CLIENT_SECRET, redirect_url: `${origin.origin}/auth-redirect` },
  auth: {
    tokenHost: process.env.ISSUER,
    tokenPath: "/oauth2/token",
    authorizePath: "/oauth2/authorize",
    scope: "openid+offline_access",
  },
};
const app = express();
let tokens = {};

const wrong = (error) => ({ status: error.response?.status, data: error.response?.data, message: error.message });

// The three ways in which such applications write the URL: the scope as it is, with a slash before the question mark,
// and through URLSearchParams, which makes %2B of the plus.
const query = `client_id=${config.client.id}&redirect_uri=${config.client.redirect_url}&response_type=code&scope=${config.auth.scope}`;
const authorize = `${config.auth.tokenHost}${config.auth.authorizePath}`;
app.get("/login", (req, res) => res.redirect(`${authorize}?${query}`));
app.get("/login-with-slash", (req, res) => res.redirect(`${authorize}/?${query}`));
app.get("/login-by-url", (req, res) => {
  const url = new URL(authorize);
  url.searchParams.set("client_id", config.client.id);
  url.searchParams.set("redirect_uri", config.client.redirect_url);
  url.searchParams.set("response_type", "code");
  url.searchParams.set("scope", config.auth.scope);
  res.redirect(String(url));
});

app.get("/auth-redirect", async (req, res) => {
  const data = {
    client_id: config.client.id,
    client_secret: config.client.secret,
    code: req.query.code,
    grant_type: "authorization_code",
    response_type: "code",
    redirect_uri: config.client.redirect_url,
    scope: config.auth.scope,
  };
  try {
    // The line end and the spaces before the URL are the sample's.
    const answer = await axios.post(`
    ${config.auth.tokenHost}${config.auth.tokenPath}`, data, form);
    tokens = answer.data;
    res.json({ tokens, sent: answer.config.data });
  } catch (error) {
    res.status(502).json(wrong(error));
  }
});

app.get("/refresh", async (req, res) => {
  const data = {
    client_id: config.client.id,
    client_secret: config.client.secret,
    grant_type: "refresh_token",
    refresh_token: tokens.refresh_token,
  };
  try {
    // The sample keeps the refresh token it had.
    const answer = await axios.post(`${config.auth.tokenHost}${config.auth.tokenPath}`, data, form);
    tokens = { ...tokens, access_token: answer.data.access_token };
    res.json(answer.data);
  } catch (error) {
    res.status(502).json(wrong(error));
  }
});

app.get("/userinfo", async (req, res) => {
  try {
    const headers = { Authorization: `Bearer ${tokens.access_token}` };
    res.json((await axios.get(`${config.auth.tokenHost}/oauth2/userinfo`, { headers })).data);
  } catch (error) {
    res.status(502).json(wrong(error));
  }
});

app.get("/revoke", async (req, res) => {
  const answer = await axios.post(`${config.auth.tokenHost}/oauth2/revoke`, { token: tokens.refresh_token }, form);
  res.json({ status: answer.status });
});

app.get("/logout", (req, res) => {
  const url = new URL("/oauth2/end_session", config.auth.tokenHost);
  url.searchParams.set("post_logout_redirect_uri", origin.origin);
  res.redirect(String(url));
});

app.listen(Number(origin.port), "localhost", () => say({ listening: origin.origin }));
