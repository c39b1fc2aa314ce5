#!/usr/bin/env python3
"""Prints a TypeScript program that compiles only if the dashboards given have Grafana's own types.

Grafana's types have enumerations where the JSON has their values; Plain makes the one from the other. The options of a panel
are loose in the type of a dashboard, so those of each kind are held to the type of that kind as well.
"""

import json
import pathlib
import sys

TYPES = "./node_modules/@grafana/schema/dist/types"
PLAIN = """
type Plain<T> = T extends string ? `${T}`
    : T extends number ? number
    : T extends (infer U)[] ? Plain<U>[]
    : T extends object ? { [K in keyof T]: Plain<T[K]> }
    : T;
"""


def main():
    boards = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in map(pathlib.Path, sys.argv[1:])}
    kinds = sorted({panel["type"] for board in boards.values() for panel in board["panels"]} - {"row"})
    print(f'import type {{ Dashboard }} from "{TYPES}/raw/dashboard/x/types.gen";')
    for kind in kinds:
        print(f'import type * as {kind} from "{TYPES}/raw/composable/{kind}/panelcfg/x/types.gen";')
    print(PLAIN)
    for name, board in boards.items():
        print(f"export const {name}: Plain<Dashboard> = {json.dumps(board, indent=1, ensure_ascii=False)};")
        for panel in board["panels"]:
            if panel["type"] == "row":
                continue
            place = f"{name}_{panel['id']}"
            print(f"export const {place}: Plain<{panel['type']}.Options> = {json.dumps(panel['options'], ensure_ascii=False)};")
            custom = panel["fieldConfig"]["defaults"].get("custom")
            if custom is not None:
                print(f"export const {place}_custom: Partial<Plain<{panel['type']}.FieldConfig>> = {json.dumps(custom)};")


main()
