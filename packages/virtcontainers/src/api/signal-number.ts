import { constants } from "node:os";
import { HuskError } from "../errors/index.ts";

const MAX_SIGNAL = 64;

/** The number of a signal. @throws HuskError ERR_CONFIG_INVALID */
export function signalNumber(signal: number | NodeJS.Signals): number {
  const number = typeof signal === "string" ? constants.signals[signal] : signal;
  if (Number.isInteger(number) && number >= 0 && number <= MAX_SIGNAL) return number;
  throw new HuskError("ERR_CONFIG_INVALID", `${JSON.stringify(signal)} is no signal`);
}
