import type { VmSize } from "../store/pod-record.ts";
import type { SizeRange } from "./cache-key.ts";

/** Words that our clients send beside their request for a VM. Who sends none of them is another's, and gets what there is. */
export const CACHE_WORDS = {
  /** digest of what the VM is to be made of */
  key: "husk-key",
  /** least and greatest size that it may have: `1,256` is a processor and 256 MiB */
  least: "husk-least",
  most: "husk-most",
} as const;

/** A request as words. */
export function writeRequest(key: string, { least, most }: SizeRange): Record<string, string> {
  return {
    [CACHE_WORDS.key]: key,
    [CACHE_WORDS.least]: writeSize(least),
    [CACHE_WORDS.most]: writeSize(most),
  };
}

function writeSize({ vcpus, memory }: VmSize): string {
  return `${vcpus},${memory}`;
}

/** A size out of a word; undefined: it is none. */
export function readSize(word: string | undefined): VmSize | undefined {
  const [, vcpus, memory] = /^(\d{1,6}),(\d{1,9})$/.exec(word ?? "") ?? [];
  return vcpus && memory ? { vcpus: Number(vcpus), memory: Number(memory) } : undefined;
}
