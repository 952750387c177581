import { HuskError } from "../errors/index.ts";
import { suggestName } from "./nearest-name.ts";

const CALL_OPTIONS = ["signal", "root", "cache", "onPhase", "onWarning"];

/**
 * Refuses options that the call does not have.
 * @throws HuskError ERR_CONFIG_UNKNOWN_FIELD
 */
export function checkCallOptions(options: object, more: readonly string[] = []): void {
  const known = [...CALL_OPTIONS, ...more];
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue;
    const text = `unknown option ${key.slice(0, 80)}; ${suggestName(key, known)}`;
    throw new HuskError("ERR_CONFIG_UNKNOWN_FIELD", text);
  }
}
