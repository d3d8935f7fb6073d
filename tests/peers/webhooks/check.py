#!/usr/bin/env python3
"""Whether the standardwebhooks library for Python takes our signatures, and we its own.

Takes the path of the example program `signature`. Exit status 1 if any check fails.
"""
import itertools
import json
import pathlib
import subprocess
import sys
from datetime import datetime, timezone

from standardwebhooks import Webhook, WebhookVerificationError

CASES = json.loads((pathlib.Path(__file__).parent / "cases.json").read_text(encoding="utf-8"))


def ours(program, arguments, body):
    return subprocess.run([program, *arguments], input=body, capture_output=True)


def taken(secret, body, headers):
    try:
        Webhook(secret).verify(body, headers)
    except WebhookVerificationError:
        return False
    return True


def main(program):
    now = datetime.now(timezone.utc).replace(microsecond=0)
    seconds = str(int(now.timestamp()))
    checks = 0

    def expect(what, fact, wanted=True):
        nonlocal checks
        checks += 1
        if fact != wanted:
            raise SystemExit(f"error: {what}: {fact}, expected {wanted}")

    for text, identity, secret in itertools.product(CASES["bodies"], CASES["ids"], CASES["secrets"]):
        body = text.encode()
        old = next(other for other in CASES["secrets"] if other != secret)
        what = f"{identity} {text!r} {secret}"
        for secrets in ([secret], [secret, old], [old, secret]):
            made = ours(program, ["sign", identity, seconds, *secrets], body)
            signature = made.stdout.decode().rstrip("\n")
            expect(what, len(signature.split(" ")), len(secrets))
            headers = {"webhook-id": identity, "webhook-timestamp": seconds, "webhook-signature": signature}
            for held in secrets:
                expect(what, taken(held, body, headers))
            expect(f"{what}, another body", taken(secret, b" " + body, headers), False)
            expect(f"{what}, another id", taken(secret, body, headers | {"webhook-id": "x"}), False)
        theirs = Webhook(secret).sign(identity, now, text)
        expect(what, ours(program, ["verify", identity, seconds, theirs, secret], body).returncode, 0)
        expect(what, ours(program, ["verify", identity, seconds, theirs, old], body).returncode, 1)
    print(f"standardwebhooks for Python: {checks} checks passed")


if __name__ == "__main__":
    main(sys.argv[1])
