// How many VMs to keep ready, by simulation: `node_modules/.bin/node bench/src/scale/main.ts [--seed N] [--json]`. With
// `--rate`, for one node of the caller's own. What it means: docs/scale.md. Nothing is booted.
import { parseArgs } from "node:util";
import { sizeNode } from "./size-node.ts";
import { listTiers, runStudies } from "./studies.ts";
import { renderJson, renderTable } from "./table.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    json: { type: "boolean" },
    rate: { type: "string" },
    "burst-size": { type: "string" },
    "burst-pause": { type: "string", default: "60" },
    "alone-ms": { type: "string", default: "81" },
    "work-ms": { type: "string", default: "133" },
    processors: { type: "string", default: "2" },
    aim: { type: "string", default: "0.99" },
  },
});

const seed = takeNumber("seed", values.seed, Number.isInteger);
const tables =
  values.rate === undefined ? [listTiers(), ...runStudies(seed)] : [sizeNode(askedOf(values.rate))];
process.stdout.write(values.json ? renderJson(tables) : tables.map(renderTable).join("\n"));

function askedOf(rate: string) {
  const above0 = (value: number) => value > 0;
  const size = values["burst-size"];
  const burst = size && {
    size: takeNumber("burst-size", size, (value) => Number.isInteger(value) && value > 0),
    pause: takeNumber("burst-pause", values["burst-pause"], above0),
  };
  return {
    rate: takeNumber("rate", rate, above0),
    ...(burst ? { burst } : {}),
    making: {
      alone: takeNumber("alone-ms", values["alone-ms"], above0),
      work: takeNumber("work-ms", values["work-ms"], above0),
    },
    processors: takeNumber("processors", values.processors, above0),
    aim: takeNumber("aim", values.aim, (value) => value > 0 && value < 1),
    seed,
  };
}

function takeNumber(option: string, text: string, isFit: (value: number) => boolean): number {
  const value = Number(text);
  if (!Number.isFinite(value) || !isFit(value)) throw new Error(`--${option} does not take "${text}"`);
  return value;
}
