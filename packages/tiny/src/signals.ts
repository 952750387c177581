import * as sys from "tiny:sys";
import { EPOLLIN, SIG_BLOCK } from "./constants.ts";
import { watch } from "./loop.ts";

/**
 * Blocks these signals and calls `caught` for each that arrives, from the event loop (signalfd). A signal that arrives
 * twice before the loop sees it is one call, as the kernel keeps only one.
 */
export function onSignals(signals: number[], caught: (signal: number) => void): void {
  sys.sigprocmask(SIG_BLOCK, signals);
  const fd = sys.signalfd(signals);
  watch(fd, EPOLLIN, () => {
    for (let signal = sys.readSignal(fd); signal !== -1; signal = sys.readSignal(fd)) caught(signal);
  });
}
