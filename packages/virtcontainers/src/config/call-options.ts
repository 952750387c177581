import { HuskError } from "../errors/index.ts";
import { nearestName } from "./nearest-name.ts";

const CALL_OPTIONS = ["signal", "root", "cache", "onPhase"];

/**
 * Refuses options that the call does not have.
 * @throws HuskError ERR_CONFIG_UNKNOWN_FIELD
 */
export function checkCallOptions(options: object, more: readonly string[] = []): void {
  const known = [...CALL_OPTIONS, ...more];
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue;
    const near = nearestName(key, known);
    const help = near ? `did you mean ${JSON.stringify(near)}?` : `known are: ${known.join(", ")}`;
    throw new HuskError("ERR_CONFIG_UNKNOWN_FIELD", `unknown option ${key.slice(0, 80)}; ${help}`);
  }
}
