#!/usr/bin/env python3
"""Asks a Prometheus every query of every panel, variable and rule, and demands data with the expected labels.

    queries.py URL            job harbourwatch; exit code 1 and a list if a query has no data or lacks a label
    queries.py URL JOB METRIC the job's METRIC was renamed on the way: exactly the queries that use it must fail

A query's labels are expected to be those that its legend, its table columns and its map ask for. Of an alert, every
selector must have data; that it fires and clears is tested by promtool. Standard library only.
"""

import json
import pathlib
import re
import sys
import urllib.parse
import urllib.request

DEPLOY = pathlib.Path(__file__).resolve().parent.parent
SELECTOR = re.compile(r"\b((?:harbourwatch_|process_|[a-z_]+:harbourwatch_)[a-z0-9_:]*|up)(\{[^}]*\})?(\[[^\]]+\])?")


class Prometheus:
    def __init__(self, url, job):
        self.url, self.job = url, job

    def get(self, path, **parameters):
        address = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters, doseq=True)}"
        with urllib.request.urlopen(address, timeout=20) as answer:
            return json.load(answer)["data"]

    def labels_of(self, expr):
        """The label sets of the series that an expression gives now."""
        filled = expr.replace("$__rate_interval", "15s").replace("$__range", "5m")
        filled = filled.replace("$job", self.job).replace("$instance", ".+").replace('job="harbourwatch"', f'job="{self.job}"')
        answer = self.get("query", query=filled)
        if answer["resultType"] == "scalar":
            return [{}]
        return [one["metric"] for one in answer["result"] if one["value"][1] != "NaN"]


def expected_labels(panel, target):
    """The labels that the panel shows of this query."""
    wanted = set(re.findall(r"\{\{\s*(\w+)\s*\}\}", target["legendFormat"]))
    for change in panel.get("transformations", []):
        wanted |= set(change["options"]["renameByName"]) - {"Value", "Time"}
    for layer in panel["options"].get("layers", []):
        wanted.add(layer["location"]["lookup"])
    return wanted


def of_dashboards():
    for path in sorted((DEPLOY / "grafana/dashboards").glob("*.json")):
        board = json.loads(path.read_text(encoding="utf-8"))
        for panel in board["panels"]:
            for target in panel.get("targets", []):
                yield f"{path.stem}: {panel['title']} {target['refId']}", target["expr"], expected_labels(panel, target)
        for variable in board["templating"]["list"]:
            found = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"] if variable["type"] == "query" else "")
            if found:
                yield f"{path.stem}: variable {variable['name']}", found[1], {found[2]}


def of_rules(prometheus):
    for group in prometheus.get("rules")["groups"]:
        for rule in group["rules"]:
            if rule["health"] != "ok":
                yield f"rule {rule['name']}: {rule.get('lastError', rule['health'])}", "vector(0) == 1", set()
            if rule["type"] == "recording":
                yield f"rule {rule['name']}", rule["name"] + '{job=~"$job"}', set()
                continue
            for name, matchers, window in SELECTOR.findall(rule["query"]):
                inner = matchers.strip("{}")
                scoped = f"{name}{{{inner}{',' if inner else ''}job=~\"$job\"}}" if "job=" not in inner else name + matchers
                yield f"alert {rule['name']}: {name}", f"last_over_time({scoped}{window or '[5m]'})", set()


def fault(prometheus, expr, wanted):
    found = prometheus.labels_of(expr)
    if not found:
        return "no data"
    lacking = sorted({label for one in found for label in wanted if not one.get(label)})
    return f"lacks the label {', '.join(lacking)}" if lacking else None


def main():
    url, job = sys.argv[1], (sys.argv[2:] or ["harbourwatch"])[0]
    renamed = (sys.argv[3:] or [None])[0]
    prometheus = Prometheus(url, job)
    queries = list(of_dashboards()) + ([] if renamed else list(of_rules(prometheus)))
    faults = {name: why for name, expr, wanted in queries if (why := fault(prometheus, expr, wanted))}
    if renamed:
        uses = {name for name, expr, _ in queries if re.search(rf"\b{renamed}\b", expr)}
        assert uses, f"no query uses {renamed}"
        if set(faults) != uses:
            sys.exit(f"renamed {renamed}: {sorted(uses)} should fail and {sorted(faults)} do")
        print(f"renamed {renamed}: the {len(uses)} queries that use it fail, and no other")
        return
    if faults:
        sys.exit("\n".join(f"{name}: {why}" for name, why in faults.items()))
    print(f"{len(queries)} queries have data with their labels")


main()
