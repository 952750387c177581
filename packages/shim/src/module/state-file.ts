import * as sys from "tiny:sys";
import {
  Errno,
  errorText,
  hasErrno,
  isSystemError,
  O_CREAT,
  O_TRUNC,
  O_WRONLY,
  readBytes,
  startTimer,
  stopTimer,
  withFile,
  writeAll,
} from "@husk/tiny";
import {
  encodeShimState,
  MAX_SHIM_STATE_BYTES,
  parseShimState,
  SHIM_FILE_VERSION,
  type ShimState,
} from "@husk/wire/module-shim";
import { boundText } from "./bound-text.ts";
import { readBootId } from "./process-stat.ts";

/** Milliseconds after which a state that could not be written, as on a full disk, is tried again. */
const RETRY_MS = 5000;

/** What changes: `undefined` takes a field away. */
export type StateChange = { [K in keyof ShimState]?: ShimState[K] | undefined };

/** The container's state, and state.json, which has it after each change. */
export class StateFile {
  readonly #path: string;
  #current: ShimState;
  #retry: number | undefined;
  /** a shim before us has left a state */
  readonly wasLeft: boolean;
  /** boot in which that was written; "" without one */
  readonly leftBootId: string;

  /** @throws Error when there is a file that cannot be read, or is of another version */
  constructor(path: string) {
    this.#path = path;
    const left = readIfThere(path);
    this.wasLeft = left !== undefined;
    this.leftBootId = left?.bootId ?? "";
    const ours = { version: SHIM_FILE_VERSION, bootId: readBootId(), shimPid: sys.getpid() } as const;
    this.#current = { state: "creating", restarts: 0, ...left, ...ours };
  }

  get current(): ShimState {
    return this.#current;
  }

  /** Changes the state, and writes it. */
  change(change: StateChange): void {
    const merged = { ...this.#current, ...change };
    this.#current = Object.fromEntries(
      Object.entries(merged).filter(([, value]) => value !== undefined),
    ) as unknown as ShimState;
    this.#save();
  }

  /** Notes something that went wrong. */
  warn(text: string): void {
    const warning = boundText(text);
    if (warning !== this.#current.warning) this.change({ warning });
  }

  /** Counts output that was dropped; written at once for the first of it, else with the next change. */
  countDropped(bytes: number, isFirst: boolean): void {
    const droppedBytes = (this.#current.droppedBytes ?? 0) + bytes;
    if (isFirst) this.change({ droppedBytes });
    else this.#current = { ...this.#current, droppedBytes };
  }

  #save(): void {
    stopTimer(this.#retry);
    this.#retry = undefined;
    try {
      replaceFile(this.#path, encodeShimState(this.#current));
    } catch (error) {
      if (!isSystemError(error)) throw error;
      this.#current = { ...this.#current, warning: boundText(`${this.#path}: ${errorText(error)}`) };
      // Without its folder nobody looks for it any more.
      if (error.errno !== Errno.ENOENT) this.#retry = startTimer(RETRY_MS, () => this.#save());
    }
  }
}

function readIfThere(path: string): ShimState | undefined {
  try {
    return parseShimState(readBytes(path, MAX_SHIM_STATE_BYTES));
  } catch (error) {
    if (hasErrno(error, Errno.ENOENT)) return undefined;
    throw new Error(`${path}: ${errorText(error)}`);
  }
}

/** Writes a file as a whole, or leaves the one that is there. */
function replaceFile(path: string, bytes: Uint8Array): void {
  withFile(`${path}.new`, O_WRONLY | O_CREAT | O_TRUNC, 0o600, (fd) => {
    writeAll(fd, bytes);
    sys.fsync(fd);
  });
  sys.rename(`${path}.new`, path);
}
