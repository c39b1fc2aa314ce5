#!/usr/bin/env python3
"""Checks a harbourwatch evidence bundle. Needs Python 3.8 or later and nothing else.

    python3 verify.py [--vkey VKEY] [FOLDER]

For each log of the bundle: the checkpoint's Ed25519 signature (RFC 8032), the Merkle proof (RFC 6962) of every record and
deed against the signed root, each record's text against the commitment in its entry, and sealed personal fields
(ChaCha20-Poly1305, RFC 8439) where their key is in the bundle. Then SHA256SUMS, and that records.csv lists the same records.
Give the verifier key that you obtained by another way than the bundle with --vkey; without it the bundle's own is used,
which proves that the bundle is whole, but not who signed it.

Exit code 0: everything holds. 2: something does not; each fault is named.
"""
import base64
import csv
import hashlib
import hmac
import json
import os
import struct
import sys

faults = []


def fault(place, what):
    faults.append("%s: %s" % (place, what))
    if len(faults) <= 50:
        print("WRONG  %s: %s" % (place, what))


# Ed25519, verification only (RFC 8032, section 6)

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def multiply(number, point):
    result = (0, 1, 1, 0)
    while number:
        if number & 1:
            result = add(result, point)
        point, number = add(point, point), number >> 1
    return result


def recover_x(y, sign):
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    if square == 0:
        return None if sign else 0
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if (x * x - square) % P:
        return None
    return P - x if x & 1 != sign else x


def decompress(data):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    x = recover_x(y, sign)
    return None if x is None else (x, y, 1, x * y % P)


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE_X = recover_x(BASE_Y, 0)
BASE = (BASE_X, BASE_Y, 1, BASE_X * BASE_Y % P)


def signed(public, message, signature):
    a, r = decompress(public), decompress(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if a is None or r is None or len(signature) != 64 or s >= L:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    left, right = multiply(s, BASE), add(r, multiply(h, a))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0


# ChaCha20-Poly1305, opening only (RFC 8439)


def block(key, counter):
    def turn(a, b, c, d):
        for x, y, z, n in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            w[x] = w[x] + w[y] & 0xFFFFFFFF
            v = w[z] ^ w[x]
            w[z] = (v << n | v >> 32 - n) & 0xFFFFFFFF

    start = [0x61707865, 0x3320646E, 0x79622D32, 0x6B206574] + list(struct.unpack("<8I", key)) + [counter, 0, 0, 0]
    w = list(start)
    for _ in range(10):
        for a, b, c, d in ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15)):
            turn(a, b, c, d)
        for a, b, c, d in ((0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)):
            turn(a, b, c, d)
    return struct.pack("<16I", *[x + y & 0xFFFFFFFF for x, y in zip(w, start)])


def unseal(key, data, aad):
    """The plain text, or None. The nonce is zero: each key seals one record."""
    text, tag = data[:-16], data[-16:]
    poly = block(key, 0)[:32]
    r = int.from_bytes(poly[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    s = int.from_bytes(poly[16:], "little")
    pad = lambda data: data + bytes(-len(data) % 16)
    message = pad(aad) + pad(text) + struct.pack("<QQ", len(aad), len(text))
    sum_ = 0
    for at in range(0, len(message), 16):
        sum_ = (sum_ + int.from_bytes(message[at : at + 16] + b"\1", "little")) * r % (2**130 - 5)
    if not hmac.compare_digest((sum_ + s & (1 << 128) - 1).to_bytes(16, "little"), tag):
        return None
    stream = b"".join(block(key, 1 + n) for n in range((len(text) + 63) // 64))
    return bytes(x ^ y for x, y in zip(text, stream))


# The log


def leads_to(entry, index, size, path):
    """The root that an inclusion proof leads to (RFC 9162, section 2.1.3.2), or None."""
    node = lambda left, right: hashlib.sha256(b"\1" + left + right).digest()
    found, at, last = hashlib.sha256(b"\0" + entry.encode()).digest(), index, size - 1
    if not 0 <= at <= last:
        return None
    for aside in path:
        if last == 0:
            return None
        if at & 1 or at == last:
            found = node(aside, found)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            found = node(found, aside)
        at, last = at >> 1, last >> 1
    return found if last == 0 else None


def read_vkey(text):
    name, number, key = text.strip().split("+", 2)
    key = base64.b64decode(key, validate=True)
    ident = hashlib.sha256(name.encode() + b"\n" + key).digest()[:4]
    if key[:1] != b"\1" or len(key) != 33 or ident.hex() != number:
        raise ValueError("not an Ed25519 verifier key")
    return name, ident, key[1:]


def checkpoint(folder, given):
    """Size and root, if a key of the log signed them."""
    place = os.path.join(folder, "checkpoint")
    try:
        note = open(place, encoding="utf-8", newline="").read()
        head, signatures = note.split("\n\n", 1)
        origin, size, root = head.split("\n")
        keys = open(os.path.join(folder, "log.vkey"), encoding="utf-8").read().split()
        if given and given not in keys:
            fault(place, "the verifier key that was given is not of this log")
        # the log names its keys oldest first; the last one signs
        name, ident, key = read_vkey(keys[-1] if not given or given in keys else given)
        text = "%s\n%s\n%s\n" % (origin, size, root)
        # others, such as witnesses, may have signed it too: their lines are passed over
        rows = [row.split(" ") for row in signatures.split("\n")]
        own = [row[2] for row in rows[:-1] if row[1] == origin]
        whole = rows[-1] == [""] and len(own) == 1 and all(len(row) == 3 and row[0] == "\u2014" for row in rows[:-1])
        signature = base64.b64decode(own[0], validate=True) if whole else b""
        if not whole or str(int(size)) != size or name != origin or signature[:4] != ident or not signed(key, text.encode(), signature[4:]):
            fault(place, "the signature does not hold")
        return int(size), base64.b64decode(root, validate=True)
    except Exception as error:
        fault(place, "it cannot be read (%s)" % error)
        return None


def lines(place):
    with open(place, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            try:
                yield "%s:%d" % (place, number), json.loads(line)
            except ValueError:
                fault("%s:%d" % (place, number), "this is no JSON")


def included(place, line, size, root):
    path = [base64.b64decode(item, validate=True) for item in line["path"]]
    if leads_to(line["entry"], line["index"], size, path) != root:
        fault(place, "the entry is not in the signed log")


def check_record(place, line, size, root, opened):
    included(place, line, size, root)
    salt, words = base64.b64decode(line["salt"], validate=True), line["entry"].split(" ")
    commitment = base64.b64encode(hashlib.sha256(salt + line["text"].encode()).digest()).decode()
    if words[:2] != ["hw1", "R"] or len(salt) != 16 or len(words) != 4 or words[3] != commitment:
        fault(place, "the text is not what the log committed to")
    record = json.loads(line["text"])
    if "key" in line:
        sealed = base64.b64decode(record["sealed"], validate=True)
        plain = unseal(base64.b64decode(line["key"], validate=True), sealed[16:], record["id"].encode())
        if plain is None or plain[:16] != bytes(16):
            fault(place, "the sealed fields do not open with the key that is given for them")
        else:
            opened[(record["id"], record.get("time"))] = json.loads(plain[16:])
    return record["id"], record.get("time")


def check_log(folder, given, ids, seen, opened):
    head = checkpoint(folder, given)
    if head is None:
        return 0
    count, own = 0, set()
    for name in ("records.ndjson", "deeds.ndjson"):
        for place, line in lines(os.path.join(folder, name)):
            try:
                if name == "records.ndjson":
                    ident, time = check_record(place, line, *head, opened)
                    # logs of several instances may have read sources of the same name: there an id has another time
                    if ident in own or (ident, time) in seen:
                        fault(place, "the record is there twice")
                    own.add(ident)
                    seen.add((ident, time))
                    ids.add(ident)
                else:
                    included(place, line, *head)
                count += 1
            except Exception as error:
                fault(place, "it cannot be read (%s)" % error)
    return count


PERSONAL = ["actor.id", "actor.name", "actor.address", "data.resource", "data.space", "file_id", "event_id", "message_sha256"]


def check_opened(folder, opened):
    """Personal fields shown in opened.ndjson are those that were sealed."""
    place = os.path.join(folder, "opened.ndjson")
    for where, line in lines(place) if os.path.exists(place) else ():
        record = line.get("record", {})
        for name, value in zip(PERSONAL, opened.get((record.get("id"), record.get("time")), [])):
            shown = record
            for part in name.split("."):
                shown = shown.get(part) if isinstance(shown, dict) else None
            if shown != value:
                fault(where, "%s is not what was sealed" % name)


def check_sums(folder):
    place = os.path.join(folder, "SHA256SUMS")
    listed = set()
    for line in open(place, encoding="utf-8"):
        digest, name = line.rstrip("\n").split("  ", 1)
        listed.add(name)
        try:
            if hashlib.sha256(open(os.path.join(folder, name), "rb").read()).hexdigest() != digest:
                fault(name, "it is not the file that SHA256SUMS lists")
        except OSError:
            fault(name, "it is missing")
    for top, _, names in os.walk(folder):
        for name in names:
            path = os.path.relpath(os.path.join(top, name), folder).replace(os.sep, "/")
            if path not in listed and path != "SHA256SUMS" and not path.endswith(".pyc"):
                fault(path, "SHA256SUMS does not list it")


def main(words):
    given = None
    if "--vkey" in words:
        at = words.index("--vkey")
        given = words[at + 1].strip()
        del words[at : at + 2]
    folder = words[0] if words else os.path.dirname(os.path.abspath(__file__))
    ids, seen, opened, count = set(), set(), {}, 0
    logs = sorted(name for name in os.listdir(folder) if name.startswith("log-"))
    if not logs:
        fault(folder, "there is no log in it")
    for name in logs:
        count += check_log(os.path.join(folder, name), given if len(logs) == 1 else None, ids, seen, opened)
    with open(os.path.join(folder, "records.csv"), encoding="utf-8-sig", newline="") as file:
        listed = {row["record"] for row in csv.DictReader(file)}
    if listed != ids:
        fault("records.csv", "it does not list the records that are proven")
    check_opened(folder, opened)
    check_sums(folder)
    if given is None:
        print("note   no --vkey: the key is the bundle's own; obtain it by another way to know who signed")
    if faults:
        print("NOT SOUND: %d faults" % len(faults))
        return 2
    print("sound: %d records and deeds of %d logs, each proven against a signed checkpoint" % (count, len(logs)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
