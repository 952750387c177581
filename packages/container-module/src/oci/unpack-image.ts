import { throwIfAborted } from "@husk/virtcontainers/internals";
import type { FlistLimits } from "../flist/metadata/limits.ts";
import type { UnpackOptions, UnpackResult } from "../flist/unpack/progress.ts";
import type { Manifest } from "./find-manifest.ts";
import { LayerTree } from "./layer-tree.ts";
import { readLayer } from "./read-layer.ts";
import { readTar } from "./read-tar.ts";

/** Bytes of a tar beside those of its files, for each of them: headers, long names, padding. */
const HEADER_BYTES = 16_384;

/**
 * Unpacks the layers of an image into an empty directory that nobody else can write to.
 * @throws HuskError ERR_IMAGE_INVALID, ERR_NOT_SUPPORTED, ERR_ROOTFS_BUILD, ERR_ABORTED
 */
export async function unpackImage(
  layout: string,
  { layers, diffIds }: Manifest,
  target: string,
  limits: FlistLimits,
  { signal, onProgress }: UnpackOptions = {},
): Promise<UnpackResult> {
  const tree = new LayerTree(target, limits, signal);
  const maxBytes = limits.maxTotalBytes + limits.maxEntries * HEADER_BYTES;
  for (const [index, layer] of layers.entries()) {
    tree.beginLayer();
    for await (const entry of readTar(readLayer(layout, layer, diffIds[index] ?? "", maxBytes))) {
      throwIfAborted(signal);
      await tree.add(entry);
      onProgress?.({ bytes: tree.bytes });
    }
  }
  await tree.finish();
  return { entries: tree.entries, bytes: tree.bytes, leftOut: tree.leftOut };
}
