#!/usr/bin/env python3
"""Prints what the program is made of as a CycloneDX 1.5 bill of materials, from the locked dependencies.

    sbom.py [TARGET]     for a target, x86_64-unknown-linux-gnu by default

The same lock file gives the same bytes: no time and no random serial number is in it. What only tests and benches use is left
out. Standard library only.
"""

import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def checksums():
    """Digests of the crates as the lock file has them."""
    found = {}
    for block in (ROOT / "Cargo.lock").read_text(encoding="utf-8").split("[[package]]")[1:]:
        fields = dict(line.split(" = ", 1) for line in block.strip().splitlines() if " = " in line and not line.startswith(" "))
        if "checksum" in fields:
            found[(fields["name"].strip('"'), fields["version"].strip('"'))] = fields["checksum"].strip('"')
    return found


def reached(metadata):
    """Packages that the program is built from: normal and build dependencies, all the way down."""
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    found, todo = {}, [metadata["resolve"]["root"]]
    while todo:
        at = todo.pop()
        if at in found:
            continue
        found[at] = sorted(
            dep["pkg"] for dep in nodes[at]["deps"] if any(kind["kind"] in (None, "build") for kind in dep["dep_kinds"]))
        todo += found[at]
    return found


def purl(package):
    return f"pkg:cargo/{package['name']}@{package['version']}"


def component(package, sums):
    made = {"type": "library", "bom-ref": purl(package), "name": package["name"], "version": package["version"], "purl": purl(package)}
    if package["license"]:
        made["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
    digest = sums.get((package["name"], package["version"]))
    if digest:
        made["hashes"] = [{"alg": "SHA-256", "content": digest}]
    return made


def main():
    target = (sys.argv[1:] or ["x86_64-unknown-linux-gnu"])[0]
    command = ["cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", target]
    metadata = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)
    packages = {package["id"]: package for package in metadata["packages"]}
    found, sums, own = reached(metadata), checksums(), metadata["resolve"]["root"]
    parts = sorted((packages[at] for at in found if at != own), key=lambda one: (one["name"], one["version"]))
    data = {
        "type": "data", "bom-ref": "data:dbip-country-lite", "name": "DB-IP country lite", "version": "2026-06-01",
        "licenses": [{"license": {"id": "CC-BY-4.0"}}],
    }
    program = {**component(packages[own], sums), "type": "application"}
    print(json.dumps({
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "metadata": {"component": program},
        "components": [component(package, sums) for package in parts] + [data],
        "dependencies": [
            {"ref": purl(packages[at]), "dependsOn": sorted(purl(packages[on]) for on in found[at])}
            for at in sorted(found, key=lambda at: purl(packages[at]))],
    }, indent=1, ensure_ascii=False))


main()
