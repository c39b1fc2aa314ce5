"""Evidence in a bucket: shipped, broken off and gone on with, verified, reported from, tampered with, under object lock."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time

import boto3
from botocore.exceptions import ClientError

BINARY = sys.argv[1]
WHY = ["--by", "Ada Officer", "--why", "inquiry 12"]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Room:
    def __init__(self, folder, port):
        self.folder = pathlib.Path(folder)
        self.env = dict(
            os.environ,
            AWS_ACCESS_KEY_ID="testing",
            AWS_SECRET_ACCESS_KEY="testing",
            AWS_REGION="us-east-1",
            AWS_ENDPOINT_URL=f"http://127.0.0.1:{port}",
            AWS_ALLOW_HTTP="true",
            TMPDIR=str(self.folder / "tmp"),
        )
        (self.folder / "tmp").mkdir()

    def start(self, *words):
        return subprocess.Popen(
            [BINARY, *words], cwd=self.folder, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def run(self, *words, code=0):
        process = self.start(*words)
        out, err = process.communicate(timeout=120)
        assert process.returncode == code, f"{words}: {process.returncode}\n{out}\n{err}"
        return out + err


def objects(s3, bucket):
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return {item["Key"]: item["Size"] for page in pages for item in page.get("Contents", [])}


def ships_and_goes_on(room, s3):
    room.run("demo", "--events", "20000", "--seed", "5", "--data", "demo")
    # broken off again and again: what is there is never less, and the checkpoint comes last
    before, kills = 0, 0
    while kills < 20:
        process = room.start("ship", "--data", "demo", "--to", "s3://evidence/hk-1")
        time.sleep(0.1 + 0.05 * kills)
        if process.poll() is not None:
            break
        process.send_signal(signal.SIGKILL)
        process.wait()
        kills += 1
        now = objects(s3, "evidence")
        assert len(now) >= before, f"{len(now)} < {before}"
        assert "hk-1/checkpoint" not in now or len(now) > before, "a checkpoint before what it speaks of"
        before = len(now)
    said = room.run("ship", "--data", "demo", "--to", "s3://evidence/hk-1")
    print(f"ok: shipped after {kills} kills; {said.strip()}")
    assert kills > 0, "it was never broken off"
    again = room.run("ship", "--data", "demo", "--to", "s3://evidence/hk-1")
    assert again.startswith("0 files copied"), again
    local = {
        str(path.relative_to(room.folder / "demo/evidence")): path
        for path in (room.folder / "demo/evidence").rglob("*")
        if path.is_file() and path.name != "lock" and "index" not in path.parts
    }
    there = {key.removeprefix("hk-1/") for key in objects(s3, "evidence") if "/index/" not in key}
    assert there == set(local), there ^ set(local)
    for name, path in local.items():
        body = s3.get_object(Bucket="evidence", Key=f"hk-1/{name}")["Body"].read()
        assert body == path.read_bytes(), name
    print(f"ok: {len(there)} objects are byte for byte the files, read by boto3")


def is_read_from_there(room):
    assert "sound" in room.run("verify", "s3://evidence/hk-1", "--checkpoint", "demo/evidence/checkpoint")
    room.run("report", "--data", "demo", "--copy", "s3://evidence/hk-1", "--out", "bundle", *WHY)
    done = subprocess.run([sys.executable, room.folder / "bundle/verify.py"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    records = json.loads((room.folder / "bundle/report.json").read_text())["totals"]["records"]
    assert records > 20, records
    assert not list((room.folder / "tmp").iterdir()), "a copy was left behind"
    print(f"ok: verified and reported from the bucket, {records} records; {done.stdout.strip().splitlines()[-1]}")


def tampering_is_seen(room, s3):
    key = next(key for key in objects(s3, "evidence") if "/segments/" in key)
    whole = s3.get_object(Bucket="evidence", Key=key)["Body"].read()
    changed = bytearray(whole)
    changed[len(changed) // 2] ^= 1
    s3.put_object(Bucket="evidence", Key=key, Body=bytes(changed))
    assert "NOT SOUND" in room.run("verify", "s3://evidence/hk-1", code=2)
    s3.put_object(Bucket="evidence", Key=key, Body=whole)
    s3.delete_object(Bucket="evidence", Key="hk-1/tile/entries/000")
    assert "NOT SOUND" in room.run("verify", "s3://evidence/hk-1", code=2)
    # the next shipment brings what was taken away, and what the log has grown by since
    room.run("ship", "--data", "demo", "--to", "s3://evidence/hk-1")
    room.run("verify", "s3://evidence/hk-1")
    room.run("demo", "--events", "300", "--data", "other")
    said = room.run("ship", "--data", "other", "--to", "s3://evidence/hk-1", code=1)
    assert "the copy" in said, said
    print("ok: a changed and a missing object are seen, and the missing one is brought again")


def lock_keeps_it(room, s3):
    s3.create_bucket(Bucket="locked", ObjectLockEnabledForBucket=True)
    rule = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 30}}
    s3.put_object_lock_configuration(
        Bucket="locked", ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule}
    )
    room.run("ship", "--data", "demo", "--to", "s3://locked")
    room.run("query", "--data", "demo", *WHY)  # the log grows, partial tiles are replaced
    room.run("ship", "--data", "demo", "--to", "s3://locked")
    room.run("verify", "s3://locked")
    key = next(key for key in objects(s3, "locked") if key.startswith("segments/"))
    version = s3.list_object_versions(Bucket="locked", Prefix=key)["Versions"][0]["VersionId"]
    try:
        s3.delete_object(Bucket="locked", Key=key, VersionId=version)
    except ClientError as refused:
        print(f"ok: under object lock the log goes on, and a version cannot be deleted ({refused.response['Error']['Code']})")
        return
    raise AssertionError("the bucket let a locked version go")


def failures_are_said(room):
    said = room.run("ship", "--data", "demo", "--to", "s3://no-such-bucket/x", code=1)
    assert "no-such-bucket" in said, said
    room.env["AWS_ENDPOINT_URL"] = "http://127.0.0.1:1"
    said = room.run("verify", "s3://evidence/hk-1", code=1)
    assert "testing" not in said, said
    print("ok: a bucket that is not there and a store that does not answer are said")


def main():
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen(
            [pathlib.Path(sys.executable).with_name("moto_server"), "-H", "127.0.0.1", "-p", str(port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            room = Room(folder, port)
            s3 = boto3.client(
                "s3",
                endpoint_url=room.env["AWS_ENDPOINT_URL"],
                region_name="us-east-1",
                aws_access_key_id="testing",
                aws_secret_access_key="testing",
            )
            for _ in range(100):
                try:
                    s3.create_bucket(Bucket="evidence")
                    break
                except Exception:  # the server is not up yet
                    time.sleep(0.1)
            ships_and_goes_on(room, s3)
            is_read_from_there(room)
            tampering_is_seen(room, s3)
            lock_keeps_it(room, s3)
            failures_are_said(room)
        finally:
            server.terminate()
            server.wait()


main()
