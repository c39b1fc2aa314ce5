// Validates the resources of operators in the YAML files given, and writes a TypeScript program that compiles only if they have
// the operators' own types: validators do not mind an unknown field, and types do.
//
//   node typed.mjs OUT.ts FILE...
import fs from "node:fs";
import { parse } from "yaml";

const PACKAGES = {
  ServiceMonitor: "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1",
  PrometheusRule: "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1",
  ScaledObject: "@kubernetes-models/keda/keda.sh/v1alpha1",
};

const [out, ...files] = process.argv.slice(2);
const lines = [];
for (const [nth, file] of files.entries()) {
  const resource = parse(fs.readFileSync(file, "utf8"));
  const { kind } = resource;
  const from = PACKAGES[kind] ?? "";
  if (!from) throw new Error(`${file}: no types for the kind ${kind}`);
  const models = await import(from);
  new models[kind](resource).validate();
  lines.push(`import type { I${kind} as I${nth} } from "${from}";`);
  lines.push(`export const resource${nth}: I${nth} = ${JSON.stringify(resource, null, 1)};`);
  console.log(`valid: ${kind} ${resource.metadata.name}`);
}
fs.writeFileSync(out, lines.join("\n") + "\n");
