#!/usr/bin/env python3
"""Draws each dashboard as a picture from its own queries and its own layout, to be looked at where there is no Grafana.

    pictures.py URL FOLDER

Not Grafana's drawing: it shows whether each panel has sensible figures, units and legends in the place it has. Needs matplotlib.
"""

import json
import pathlib
import sys
import time
import urllib.parse
import urllib.request

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

BOARDS = pathlib.Path(__file__).resolve().parent.parent / "grafana/dashboards"
SPAN, WINDOW = 70, "15s"
# Where a circle stands on the map: longitude and latitude.
PLACES = {"HK": (114, 22), "CN": (104, 35), "MO": (113, 22), "TW": (121, 24), "SG": (104, 1), "JP": (138, 36), "US": (-98, 39),
          "GB": (-2, 54), "DE": (10, 51), "AU": (134, -25), "IN": (79, 22), "KR": (128, 36), "AE": (54, 24), "NL": (5, 52)}


def ask(url, path, **parameters):
    with urllib.request.urlopen(f"{url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}", timeout=20) as answer:
        return json.load(answer)["data"]["result"]


def filled(expr):
    return (expr.replace("$__rate_interval", WINDOW).replace("$__range", "5m").replace("$job", "harbourwatch")
            .replace("$instance", ".+"))


def legend(target, labels):
    text = target["legendFormat"]
    if text == "__auto":
        return ", ".join(f"{k}={v}" for k, v in labels.items() if k != "__name__")
    for name, value in labels.items():
        text = text.replace("{{" + name + "}}", value)
    return text


def shown(value, unit):
    if unit == "percentunit":
        return f"{value:.1%}"
    if unit == "bytes":
        for step in ("B", "kB", "MB", "GB"):
            if abs(value) < 1000:
                return f"{value:.3g} {step}"
            value /= 1000
    if unit == "s" and abs(value) >= 172800:
        return f"{value / 86400:.1f} days"
    ending = {"s": " s", "ops": " /s"}.get(unit, "")
    return f"{value:,.0f}{ending}" if abs(value) >= 100 else f"{value:.3g}{ending}"


def colour(panel, value):
    found = "#444444"
    for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]:
        if step["value"] is None or value >= step["value"]:
            found = {"text": "#444444", "green": "#3a9d4b", "dark-red": "#8b0000"}.get(step["color"], step["color"])
    return found


def draw(axes, url, panel):
    unit, now = panel["fieldConfig"]["defaults"]["unit"], time.time()
    axes.set_title(panel["title"], fontsize=8, loc="left")
    if panel["type"] == "timeseries":
        for target in panel["targets"]:
            for one in ask(url, "query_range", query=filled(target["expr"]), start=now - SPAN, end=now, step=1):
                points = [(float(t) - now, float(v)) for t, v in one["values"]]
                label = f"{legend(target, one['metric'])}: {shown(points[-1][1], unit)}"
                axes.plot(*zip(*points), linewidth=1, label=label[:60])
        axes.tick_params(labelsize=5)
        axes.legend(fontsize=4.5, loc="upper left")
        return
    results = [(legend(target, one["metric"]), one["metric"], float(one["value"][1]))
               for target in panel["targets"] for one in ask(url, "query", query=filled(target["expr"]))]
    if panel["type"] == "geomap":
        axes.set_xlim(-180, 180), axes.set_ylim(-60, 80), axes.grid(linewidth=0.2)
        most = max((value for _, _, value in results), default=1)
        for name, _, value in results:
            if name in PLACES:
                axes.scatter(*PLACES[name], s=30 + 600 * value / most, alpha=0.5, color=colour(panel, value))
                axes.annotate(f"{name} {value:.0f}", PLACES[name], fontsize=6)
        return
    axes.axis("off")
    if panel["type"] == "stat":
        mappings = {key: one["text"] for each in panel["fieldConfig"]["defaults"]["mappings"] for key, one in each["options"].items()}
        for _, labels, value in results[:1]:
            text = mappings.get(f"{value:.0f}", shown(value, unit))
            axes.text(0.5, 0.4, text, ha="center", va="center", fontsize=14, color=colour(panel, value))
        return
    rows = [[*(v for k, v in labels.items() if k != "__name__"), shown(value, unit)] for _, labels, value in results[:14]]
    if rows:
        axes.table(cellText=[[cell[:40] for cell in row] for row in rows], loc="upper left", cellLoc="left").set_fontsize(6)


def main():
    url, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(BOARDS.glob("*.json")):
        board = json.loads(path.read_text(encoding="utf-8"))
        height = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in board["panels"])
        figure = plt.figure(figsize=(18, height * 0.36))
        for panel in board["panels"]:
            at = panel["gridPos"]
            if panel["type"] == "row":
                figure.text(0.005, 1 - (at["y"] + 0.8) / height, panel["title"], fontsize=10, weight="bold")
                continue
            box = (at["x"] / 24 + 0.02, 1 - (at["y"] + at["h"] - 0.7) / height, at["w"] / 24 - 0.03, (at["h"] - 1.9) / height)
            draw(figure.add_axes(box), url, panel)
        figure.savefig(folder / f"{path.stem}.png", dpi=80)
        plt.close(figure)


main()
