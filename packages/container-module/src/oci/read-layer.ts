import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { HuskError } from "@husk/virtcontainers";
import { messageOf } from "@husk/virtcontainers/internals";
import { type Descriptor, readBlob } from "./blob.ts";
import { invalidImage } from "./invalid-image.ts";

/**
 * Gives a layer as tar, and sees at the end that it is what was announced, compressed and not.
 * @throws HuskError ERR_IMAGE_INVALID, ERR_NOT_SUPPORTED
 */
export async function* readLayer(
  layout: string,
  layer: Descriptor,
  diffId: string,
  maxBytes: number,
): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  let length = 0;
  for await (const chunk of decompress(layout, layer)) {
    length += chunk.length;
    if (length > maxBytes) throw invalidImage(`${layout}: ${layer.digest} has more than ${maxBytes} bytes`);
    hash.update(chunk);
    yield chunk;
  }
  if (`sha256:${hash.digest("hex")}` !== diffId) {
    throw invalidImage(`${layout}: ${layer.digest} is not the layer ${diffId} that the configuration names`);
  }
}

async function* decompress(layout: string, layer: Descriptor): AsyncGenerator<Uint8Array> {
  const kind = compressionOf(layer.mediaType);
  const blob = readBlob(layout, layer);
  if (kind === "none") {
    yield* blob;
    return;
  }
  const plain = kind === "gzip" ? createGunzip() : createZstdDecompress();
  const packed = Readable.from(blob, { objectMode: false });
  packed.on("error", (error) => plain.destroy(error));
  packed.pipe(plain);
  try {
    yield* plain as AsyncIterable<Uint8Array>;
    // What stands behind the compressed bytes belongs to the checksum, too.
    for await (const _ of packed);
  } catch (error) {
    if (error instanceof HuskError) throw error;
    throw invalidImage(`${layout}: ${layer.digest} cannot be decompressed: ${messageOf(error)}`, error);
  } finally {
    plain.destroy();
    packed.destroy();
  }
}

function compressionOf(mediaType: string): "none" | "gzip" | "zstd" {
  if (
    /^application\/vnd\.(oci\.image\.layer(\.nondistributable)?\.v1\.tar|docker\.image\.rootfs\.diff\.tar)$/.test(
      mediaType,
    )
  ) {
    return "none";
  }
  if (/\.tar[.+]gzip$/.test(mediaType)) return "gzip";
  if (/\.tar\+zstd$/.test(mediaType)) return "zstd";
  throw new HuskError(
    "ERR_NOT_SUPPORTED",
    `layers of the kind ${JSON.stringify(mediaType)} are not supported`,
  );
}
