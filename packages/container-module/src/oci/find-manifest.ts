import { HuskError } from "@husk/virtcontainers";
import { type Descriptor, readDocument, readNamedDocument } from "./blob.ts";
import { invalidImage } from "./invalid-image.ts";

/** Indexes within indexes at most. */
const MAX_DEPTH = 3;
const MAX_PARTS = 1000;
const TAG = "org.opencontainers.image.ref.name";
const INDEX_TYPES: ReadonlySet<string> = new Set([
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
]);
const MANIFEST_TYPES: ReadonlySet<string> = new Set([
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
]);

/** An entry of an index. */
interface IndexEntry extends Descriptor {
  readonly tag: string | undefined;
  /** missing: whatever machine */
  readonly platform: string | undefined;
}

/** What an image consists of. */
export interface Manifest {
  readonly digest: string;
  readonly layers: readonly Descriptor[];
  /** digests of the layers when they are not compressed, in the same order */
  readonly diffIds: readonly string[];
}

/**
 * Finds the image of a layout that is meant: of a tag, if one is given, for this kind of machine.
 * @throws HuskError ERR_IMAGE_INVALID, ERR_CONFIG_INVALID when it is not clear which
 */
export async function findManifest(layout: string, tag: string | undefined): Promise<Manifest> {
  let entries = readIndex(await readNamedDocument(layout, "index.json"), layout);
  if (tag !== undefined) entries = entries.filter((entry) => entry.tag === tag);
  for (let depth = 0; depth < MAX_DEPTH; depth += 1) {
    const chosen = choose(entries, layout, tag);
    if (MANIFEST_TYPES.has(chosen.mediaType)) return readManifest(layout, chosen);
    if (!INDEX_TYPES.has(chosen.mediaType)) throw invalidImage(`${layout}: ${chosen.mediaType} is no image`);
    entries = readIndex(await readDocument(layout, chosen), layout);
  }
  throw invalidImage(`${layout}: more than ${MAX_DEPTH} indexes within each other`);
}

function choose(entries: readonly IndexEntry[], layout: string, tag: string | undefined): IndexEntry {
  const fitting = entries.filter(({ platform }) => platform === undefined || platform === "linux/amd64");
  const [first, second] = fitting;
  if (first && !second) return first;
  const which = tag === undefined ? "" : ` of the tag ${JSON.stringify(tag)}`;
  if (!first) throw new HuskError("ERR_CONFIG_INVALID", `${layout} has no image${which} for linux/amd64`);
  const tags = fitting.map((entry) => entry.tag ?? entry.digest).slice(0, 20);
  throw new HuskError(
    "ERR_CONFIG_INVALID",
    `${layout} has ${fitting.length} images${which}: ${tags.join(", ")}`,
    {
      hint: `Say which: ${layout}:TAG`,
    },
  );
}

async function readManifest(layout: string, descriptor: Descriptor): Promise<Manifest> {
  const { digest } = descriptor;
  const document = asObject(await readDocument(layout, descriptor), digest);
  const layers = asArray(document.layers, `${digest}: layers`).map((layer) => readDescriptor(layer, digest));
  const config = readDescriptor(document.config, digest);
  const rootfs = asObject(asObject(await readDocument(layout, config), config.digest).rootfs, config.digest);
  const diffIds = asArray(rootfs.diff_ids, `${config.digest}: diff_ids`).map(String);
  if (diffIds.length !== layers.length)
    throw invalidImage(`${digest} has not as many layers as its configuration`);
  return { digest, layers, diffIds };
}

function readIndex(document: unknown, name: string): IndexEntry[] {
  return asArray(asObject(document, name).manifests, `${name}: manifests`).map((value) => {
    const entry = asObject(value, name);
    const annotations = entry.annotations === undefined ? {} : asObject(entry.annotations, name);
    const platform = entry.platform === undefined ? undefined : asObject(entry.platform, name);
    const tag = annotations[TAG];
    return {
      ...readDescriptor(value, name),
      tag: tag === undefined ? undefined : String(tag),
      platform: platform && `${platform.os}/${platform.architecture}`,
    };
  });
}

function readDescriptor(value: unknown, name: string): Descriptor {
  const { mediaType, digest, size } = asObject(value, name);
  if (
    typeof mediaType !== "string" ||
    typeof digest !== "string" ||
    !Number.isSafeInteger(size) ||
    Number(size) < 0
  ) {
    throw invalidImage(`${name} tells of a part without its mediaType, digest or size`);
  }
  return { mediaType, digest, size: Number(size) };
}

function asObject(value: unknown, name: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw invalidImage(`${name}: an object is missing`);
}

function asArray(value: unknown, name: string): unknown[] {
  if (Array.isArray(value) && value.length <= MAX_PARTS) return value;
  throw invalidImage(`${name} is no list of up to ${MAX_PARTS}`);
}
