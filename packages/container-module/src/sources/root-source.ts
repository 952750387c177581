import type { BlockSourceOptions } from "../flist/blocks/block-source.ts";
import type { FlistLimits } from "../flist/metadata/limits.ts";
import type { UnpackOptions, UnpackResult } from "../flist/unpack/progress.ts";

/** How the source of a root file system is opened. */
export interface SourceOptions extends Pick<BlockSourceOptions, "allowedStores" | "stores" | "retry"> {
  /** where downloads, blocks and unpacked roots are kept; default: `flists` in husk's cache */
  readonly cacheDirectory?: string | undefined;
  readonly limits?: FlistLimits | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A root file system that is packed in some way. */
export interface PackedSource {
  readonly kind: "flist" | "oci";
  /** hash of all that makes its contents: the same one is the same tree */
  readonly fingerprint: string;
  /** Unpacks it into an empty directory that nobody else can write to. */
  unpack(target: string, options?: UnpackOptions): Promise<UnpackResult>;
  /** Removes what was made to read it. */
  [Symbol.dispose](): void;
}

/** A root file system that is there already: a directory, used as it is. */
export interface DirectorySource {
  readonly kind: "directory";
  readonly path: string;
  [Symbol.dispose](): void;
}

/** Where a root file system comes from. */
export type RootSource = PackedSource | DirectorySource;
