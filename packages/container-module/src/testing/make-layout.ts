import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { Header } from "tar/header";

/** An entry of a layer; what is not given is harmless. */
export interface LayerEntry {
  readonly path: string;
  readonly type?:
    | "File"
    | "Directory"
    | "SymbolicLink"
    | "Link"
    | "FIFO"
    | "CharacterDevice"
    | "ContiguousFile";
  readonly body?: string;
  readonly linkpath?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** seconds */
  readonly mtime?: number;
  readonly devmaj?: number;
  readonly devmin?: number;
}

/** Makes a layer, header by header, well or badly. */
export function makeTar(entries: readonly LayerEntry[]): Buffer {
  const parts = entries.flatMap(
    ({ body = "", type = "File", mtime = 1e9, mode = 0o644, uid = 0, gid = 0, ...rest }) => {
      const bytes = Buffer.from(body);
      const header = new Header({
        type,
        mode,
        uid,
        gid,
        mtime: new Date(mtime * 1000),
        size: bytes.length,
        ...rest,
      });
      const block = Buffer.alloc(512);
      header.encode(block);
      return [block, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)];
    },
  );
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

/** How a layout differs from a good one. */
export interface LayoutFaults {
  readonly compression?: "none" | "gzip" | "zstd";
  readonly tags?: readonly string[];
  readonly diffIds?: readonly string[];
  readonly layerType?: string;
  /** changes the index before it is written */
  readonly changeIndex?: (index: { manifests: Record<string, unknown>[] }) => unknown;
}

const COMPRESS = {
  none: (bytes: Buffer) => bytes,
  gzip: (bytes: Buffer) => gzipSync(bytes),
  zstd: (bytes: Buffer) => zstdCompressSync(bytes),
};

/** Makes an OCI image layout of layers. */
export function makeLayout(directory: string, layers: readonly Buffer[], faults: LayoutFaults = {}): string {
  const { compression = "gzip", tags = ["latest"] } = faults;
  mkdirSync(join(directory, "blobs/sha256"), { recursive: true });
  const put = (mediaType: string, content: Buffer | object) => {
    const bytes = Buffer.isBuffer(content) ? content : Buffer.from(JSON.stringify(content));
    const hex = createHash("sha256").update(bytes).digest("hex");
    writeFileSync(join(directory, "blobs/sha256", hex), bytes);
    return { mediaType, digest: `sha256:${hex}`, size: bytes.length };
  };
  const suffix = compression === "none" ? "" : `+${compression}`;
  const layerType = faults.layerType ?? `application/vnd.oci.image.layer.v1.tar${suffix}`;
  const descriptors = layers.map((layer) => put(layerType, COMPRESS[compression](layer)));
  const diffIds = layers.map((layer) => `sha256:${createHash("sha256").update(layer).digest("hex")}`);
  const rootfs = { type: "layers", diff_ids: faults.diffIds ?? diffIds };
  const config = put("application/vnd.oci.image.config.v1+json", {
    architecture: "amd64",
    os: "linux",
    rootfs,
  });
  const manifest = put("application/vnd.oci.image.manifest.v1+json", {
    schemaVersion: 2,
    config,
    layers: descriptors,
  });
  const manifests = tags.map((tag) => ({
    ...manifest,
    annotations: { "org.opencontainers.image.ref.name": tag },
  }));
  const index = { schemaVersion: 2, manifests };
  writeFileSync(join(directory, "index.json"), JSON.stringify(faults.changeIndex?.(index) ?? index));
  writeFileSync(join(directory, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  return directory;
}
