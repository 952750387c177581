/** How others learn that a process has ended, who do not wait for its shim: a file, and a program that is started. */

import * as sys from "tiny:sys";
import { errorText, isSystemError, O_CLOEXEC, O_RDWR, startDetached, writeText } from "@husk/tiny";
import { type ExitRecord, encodeExitRecord } from "@husk/wire/attach";

/** Writes the file as a whole, or not at all. Gives why it could not, if so. */
export function writeExitFile(path: string, record: ExitRecord): string[] {
  try {
    writeText(`${path}.new`, sys.decodeUtf8(encodeExitRecord(record)), 0o600);
    sys.rename(`${path}.new`, path);
    return [];
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return [`${path}: ${errorText(error)}`];
  }
}

/** Starts the program, in a session of its own, with our environment and nothing else of ours. Gives why it could not, if so. */
export function startExitCommand(argv: string[]): string[] {
  try {
    const nothing = sys.open("/dev/null", O_RDWR | O_CLOEXEC, 0);
    startDetached({ argv, environ: sys.environ, descriptors: [nothing, nothing, nothing] });
    sys.close(nothing);
    return [];
  } catch (error) {
    return [`exit command: ${errorText(error)}`];
  }
}
