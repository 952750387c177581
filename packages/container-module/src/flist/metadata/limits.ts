/** How large an flist may be, in every direction. It comes from somebody else. */
export interface FlistLimits {
  /** bytes of the file with the metadata */
  readonly maxFlistBytes: number;
  /** files, directories and the like */
  readonly maxEntries: number;
  /** blocks of all files together */
  readonly maxBlocks: number;
  /** bytes of all files together, unpacked */
  readonly maxTotalBytes: number;
  /** directories within each other */
  readonly maxDepth: number;
  readonly maxRoutes: number;
  readonly maxTags: number;
}

/** Ample for every image that has been seen. */
export const DEFAULT_LIMITS: FlistLimits = {
  maxFlistBytes: 512 * 1024 ** 2,
  maxEntries: 1_000_000,
  maxBlocks: 1_000_000,
  maxTotalBytes: 64 * 1024 ** 3,
  maxDepth: 200,
  maxRoutes: 1024,
  maxTags: 1024,
};

/** Bytes of a name at most, as Linux has it. */
export const MAX_NAME_BYTES = 255;
/** Bytes of a path at most: what Linux takes, less room for the directory that it is unpacked in. */
export const MAX_PATH_BYTES = 3584;
/** Bytes of a symbolic link at most, as Linux has it. */
export const MAX_TARGET_BYTES = 4095;
/** Bytes of a store's address at most. */
export const MAX_URL_BYTES = 2048;
/** Bytes of a tag's name, and of its text, at most. */
export const MAX_TAG_KEY_BYTES = 255;
export const MAX_TAG_BYTES = 65536;
