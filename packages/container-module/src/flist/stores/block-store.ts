/** Where blocks are kept, by their ids. */
export interface BlockStore {
  /** its address, without passwords */
  readonly address: string;
  /**
   * Gives what is stored under an id; it has not been checked.
   * @returns undefined when the store does not have it
   * @throws Error when the store cannot be asked or answers nonsense
   */
  get(id: Uint8Array, signal?: AbortSignal): Promise<Uint8Array | undefined>;
  /** Keeps a block, if the kind of store can be written to. */
  put?(id: Uint8Array, sealed: Uint8Array, signal?: AbortSignal): Promise<void>;
  /** Ends its connections. */
  close(): void;
}

/** An id as stores write it. */
export function hexId(id: Uint8Array): string {
  return Buffer.from(id).toString("hex");
}

/** The names under which stores of files have a block: today's, and that of rfs before July 2024. */
export function blockPaths(id: Uint8Array): readonly [string, string] {
  const hex = hexId(id);
  return [`${hex.slice(0, 2)}/${hex}`, hex];
}
