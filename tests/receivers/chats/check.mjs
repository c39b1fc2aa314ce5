// Holds messages to Slack's own types and to Microsoft's reader of Adaptive Cards, and shows that both notice what is wrong.
//
//   node check.mjs MESSAGES.json      an object with two lists, slack and teams
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";

globalThis.self = globalThis;
const cards = createRequire(import.meta.url)("adaptivecards/dist/adaptivecards.js");
const { slack, teams } = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));

function compiles(messages) {
  const source = messages.map((one, nth) => `export const message${nth}: Message = ${JSON.stringify(one)};`);
  // as loose as the webhook's own type is for kinds of blocks that it does not know, it would pass nearly everything
  const head = `import type { KnownBlock } from "@slack/types";
import type { IncomingWebhookSendArguments } from "@slack/webhook";
type Message = Omit<IncomingWebhookSendArguments, "blocks"> & { blocks: KnownBlock[] };`;
  fs.writeFileSync("messages.ts", [head, ...source].join("\n"));
  const options = ["--noEmit", "--strict", "--skipLibCheck", "--target", "es2022", "--module", "nodenext"];
  const ran = spawnSync("npx", ["--no-install", "tsc", ...options, "messages.ts"], { encoding: "utf8" });
  return ran.status === 0 ? "" : ran.stdout + ran.stderr;
}

// What the reader finds wrong with a card; what it read of it must be all that is there.
function faults(message) {
  const card = message.attachments[0].content;
  const version = cards.Version.parse(card.version);
  const context = new cards.SerializationContext(version);
  const read = new cards.AdaptiveCard();
  read.parse(card, context);
  const found = Array.from({ length: context.eventCount }, (_, nth) => context.getEventAt(nth).message);
  found.push(...read.validateProperties().validationEvents.map((event) => event.message));
  if (read.getItemCount() !== card.body.length) found.push("blocks were left out");
  return found;
}

function demand(holds, what) {
  if (!holds) {
    console.error(what);
    process.exit(1);
  }
}

demand(slack.length > 0 && teams.length > 0, "no messages");
const complaints = compiles(slack);
demand(!complaints, complaints);
const text = JSON.stringify(slack);
for (const wrong of [text.replaceAll("plain_text", "plaintext"), text.replaceAll('"blocks"', '"block"')]) {
  demand(wrong !== text && compiles(JSON.parse(wrong)), "a wrong message passed Slack's types");
}
demand(teams.every((one) => one.type === "message" && one.attachments[0].contentType === "application/vnd.microsoft.card.adaptive"),
  "no card for Teams");
const found = teams.flatMap(faults);
demand(found.length === 0, found.join("\n"));
for (const wrong of [["RichTextBlock", "RichText"], ["Bolder", "Boldest"]]) {
  const changed = JSON.stringify(teams[0]).replaceAll(...wrong);
  demand(faults(JSON.parse(changed)).length > 0, `a wrong card passed: ${wrong}`);
}
console.log(`chats: ${slack.length} messages have Slack's types, ${teams.length} are cards that Microsoft's reader takes whole`);
