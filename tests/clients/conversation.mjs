// How the programs of this folder talk with the test that runs them: lines of JSON out, lines of text in.
import { createInterface } from "node:readline/promises";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

export function say(what) {
  process.stdout.write(`${JSON.stringify(what)}\n`);
}

// Has the user go to a URL, and returns the URL that the browser is led back to.
export async function visit(url) {
  say({ visit: String(url) });
  return new URL((await lines.next()).value);
}

// The code of an error that a client library throws, however it names it.
export async function errorOf(promise) {
  try {
    await promise;
  } catch (error) {
    return error.error ?? error.code ?? error.message;
  }
  return null;
}
