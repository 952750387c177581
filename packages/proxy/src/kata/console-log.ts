/** The guest's console, line by line in the log. */

import * as sys from "tiny:sys";
import { Connection, connectUnix } from "@husk/tiny";
import { log } from "../core/log.ts";

/** Longest line that is logged as one, in bytes. */
const MAX_LINE_BYTES = 4096;
const NEWLINE = 10;

/** Logs what comes from the socket of a console. It may go; nothing depends on it. @throws SystemError */
export function logConsole(path: string): void {
  let kept = new Uint8Array(0);
  const say = (line: Uint8Array) => {
    const text = sys.decodeUtf8(line).replace(/\r$/, "");
    if (text !== "") log("info", text, { source: "console" });
  };
  new Connection(connectUnix(path), {
    onBytes: (bytes) => {
      const all = new Uint8Array(kept.length + bytes.length);
      all.set(kept);
      all.set(bytes, kept.length);
      let at = 0;
      for (let end = findEnd(all, at); end !== -1; end = findEnd(all, at)) {
        say(all.subarray(at, end));
        at = all[end] === NEWLINE ? end + 1 : end;
      }
      kept = all.slice(at);
    },
    onWritable: () => {},
    onEnd: () => say(kept),
  });
}

/** Where the line ends that begins there; -1 when that has not come yet. */
function findEnd(bytes: Uint8Array, start: number): number {
  const newline = bytes.indexOf(NEWLINE, start);
  if (newline !== -1 && newline - start <= MAX_LINE_BYTES) return newline;
  return bytes.length - start > MAX_LINE_BYTES ? start + MAX_LINE_BYTES : -1;
}
