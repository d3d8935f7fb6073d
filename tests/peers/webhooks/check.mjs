// Whether the standardwebhooks library for JavaScript takes our signatures, and we its own.
//
// Takes the path of the example program `signature`. Exit status 1 if any check fails.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { Webhook, WebhookVerificationError } from "standardwebhooks";

const cases = JSON.parse(readFileSync(new URL("cases.json", import.meta.url), "utf8"));
const program = process.argv[2];
const now = new Date(Math.floor(Date.now() / 1000) * 1000);
const seconds = String(now.getTime() / 1000);
let checks = 0;

function ours(args, body) {
  return spawnSync(program, args, { input: body });
}

function taken(secret, body, headers) {
  try {
    new Webhook(secret).verify(body, headers);
    return true;
  } catch (error) {
    if (error instanceof WebhookVerificationError) return false;
    throw error;
  }
}

function expect(what, fact, wanted = true) {
  checks += 1;
  if (fact !== wanted) {
    console.error(`error: ${what}: ${fact}, expected ${wanted}`);
    process.exit(1);
  }
}

for (const body of cases.bodies) {
  for (const id of cases.ids) {
    for (const secret of cases.secrets) {
      const old = cases.secrets.find((other) => other !== secret);
      const what = `${id} ${JSON.stringify(body)} ${secret}`;
      for (const secrets of [[secret], [secret, old], [old, secret]]) {
        const signature = ours(["sign", id, seconds, ...secrets], body).stdout.toString().trimEnd();
        expect(what, signature.split(" ").length, secrets.length);
        const headers = { "webhook-id": id, "webhook-timestamp": seconds, "webhook-signature": signature };
        for (const held of secrets) expect(what, taken(held, body, headers));
        expect(`${what}, another body`, taken(secret, ` ${body}`, headers), false);
        expect(`${what}, another id`, taken(secret, body, { ...headers, "webhook-id": "x" }), false);
      }
      const theirs = new Webhook(secret).sign(id, now, body);
      expect(what, ours(["verify", id, seconds, theirs, secret], body).status, 0);
      expect(what, ours(["verify", id, seconds, theirs, old], body).status, 1);
    }
  }
}
console.log(`standardwebhooks for JavaScript: ${checks} checks passed`);
