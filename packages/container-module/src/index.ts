export type { EntryKind, Flist, FlistEntry, FlistRoute } from "./flist/metadata/flist.ts";
export { DEFAULT_LIMITS, type FlistLimits } from "./flist/metadata/limits.ts";
export { type ReadOptions, readFlist } from "./flist/metadata/read-flist.ts";
export { type PackOptions, type PackResult, packFlist } from "./flist/pack/pack-flist.ts";
export type { Progress, UnpackOptions, UnpackResult } from "./flist/unpack/progress.ts";
export { openSource } from "./sources/open-source.ts";
export { type SharedRoot, type ShareOptions, shareRoot } from "./sources/root-cache.ts";
export type { DirectorySource, PackedSource, RootSource, SourceOptions } from "./sources/root-source.ts";
export { unpackTo } from "./sources/unpack-to.ts";
