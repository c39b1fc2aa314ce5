#!/usr/bin/env python3
"""Makes data_security_finding.json.zst, the schema that tests hold OCSF events against.

Run with `ocsf-json-schema==1.2.0` (pip) and the command `zstd`. Titles and descriptions are left out: they are the bulk
of it, and no validator reads them.
"""
import json
import pathlib
import subprocess

from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

VERSION = "1.8.0"
PROFILES = ["security_control", "datetime", "data_classification"]


def bare(node, in_properties=False):
    if isinstance(node, list):
        return [bare(item) for item in node]
    if not isinstance(node, dict):
        return node
    words = () if in_properties else ("title", "description", "$comment")
    return {key: bare(value, key in ("properties", "$defs")) for key, value in node.items() if key not in words}


schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(VERSION)).get_class_schema("data_security_finding", PROFILES)
text = json.dumps(bare(schema), sort_keys=True, separators=(",", ":"))
target = pathlib.Path(__file__).with_name("data_security_finding.json.zst")
subprocess.run(["zstd", "-19", "-q", "-f", "-o", str(target)], input=text.encode(), check=True)
print(f"{len(text)} bytes, {target.stat().st_size} compressed")
