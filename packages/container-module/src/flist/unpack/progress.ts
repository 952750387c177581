/** How far an unpacking or packing is. */
export interface Progress {
  /** bytes of files done */
  readonly bytes: number;
  /** bytes of all files; missing while that is not known */
  readonly totalBytes?: number;
}

/** What unpacking is given, whatever is unpacked. */
export interface UnpackOptions {
  readonly signal?: AbortSignal | undefined;
  /** called after each piece of a file */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** What has been unpacked. */
export interface UnpackResult {
  /** files, directories and the like */
  readonly entries: number;
  /** bytes of all files */
  readonly bytes: number;
  /** what was not made, and why: sockets; without root, devices and other owners */
  readonly leftOut: readonly string[];
}
