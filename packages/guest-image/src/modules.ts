import { readElfSections } from "./elf.ts";

/** A kernel module as it goes into the guest. */
interface KernelModule {
  /** name with underscores, as the kernel shows it */
  name: string;
  /** the module's ELF file, without its signature */
  data: Uint8Array;
}

/** The modules of a guest, and in which order each one is loaded. */
export interface ModuleSet {
  /** all that are needed, sorted by name */
  modules: KernelModule[];
  /** for each module that can be asked for: what to load, in order, itself last */
  order: Record<string, string[]>;
}

/** What a module says about itself in its `.modinfo` section. */
export interface ModuleInfo {
  /** name with underscores */
  name: string;
  /** modules whose symbols it uses; they must be loaded first */
  depends: string[];
  /** modules that its author wants loaded before it, when there are any */
  softBefore: string[];
}

const SIGNATURE_MARK = Buffer.from("~Module signature appended~\n");
/**
 * struct module_signature of include/linux/module_signature.h: its size, and where the signature's length is
 */
const SIGNATURE_INFO_SIZE = 12;
const SIGNATURE_LENGTH_AT = 8;

/** Turns a module's file or package name into the kernel's own form: "virtio-rng" is "virtio_rng". */
export function normaliseModuleName(name: string): string {
  return name.replaceAll("-", "_");
}

/**
 * Reads what a module says about itself.
 *
 * @throws Error when `file` is no module
 */
export function readModuleInfo(file: Uint8Array): ModuleInfo {
  const section = readElfSections(file).find(({ name }) => name === ".modinfo");
  if (section === undefined) throw new Error("no .modinfo section: not a kernel module");
  const fields = Buffer.from(section.data)
    .toString("latin1")
    .split("\0")
    .flatMap((line) => {
      const equals = line.indexOf("=");
      return equals < 0 ? [] : [{ key: line.slice(0, equals), value: line.slice(equals + 1) }];
    });
  const valuesOf = (key: string) => fields.filter((field) => field.key === key).map((field) => field.value);
  const name = valuesOf("name")[0];
  if (name === undefined) throw new Error("the module does not say its name");
  return {
    name: normaliseModuleName(name),
    depends: valuesOf("depends").flatMap((list) => list.split(",").filter(Boolean).map(normaliseModuleName)),
    softBefore: valuesOf("softdep").flatMap(parseSoftBefore),
  };
}

/**
 * Cuts off the signature that a distribution's build appends to a module. The kernel checks a signature only
 * to note an unsigned module in its taint flags, and that check costs time; the initramfs that carries the
 * module is as trusted as the kernel itself.
 *
 * @throws Error when the trailer does not fit the file
 */
export function stripSignature(file: Uint8Array): Uint8Array {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  if (!bytes.subarray(-SIGNATURE_MARK.length).equals(SIGNATURE_MARK)) return file;
  const infoStart = bytes.length - SIGNATURE_MARK.length - SIGNATURE_INFO_SIZE;
  const length = infoStart < 0 ? -1 : bytes.readUInt32BE(infoStart + SIGNATURE_LENGTH_AT);
  if (length < 0 || length > infoStart) throw new Error("the module's signature does not fit its file");
  return file.subarray(0, infoStart - length);
}

/**
 * Chooses modules and all they need, and finds the order in which to load them.
 *
 * @param names the modules that the guest may ask for
 * @param builtin modules compiled into the kernel; they satisfy a need without being loaded
 * @param readModule gives a module's file by its name with underscores, or undefined when there is none
 * @throws Error when a module is missing, or when modules need each other in a circle
 */
export function chooseModules(
  names: readonly string[],
  builtin: ReadonlySet<string>,
  readModule: (name: string) => Uint8Array | undefined,
): ModuleSet {
  const found = new Map<string, KernelModule & { needs: string[] }>();

  const find = (name: string, neededBy: string) => {
    const known = found.get(name);
    if (known !== undefined) return known;
    const file = readModule(name);
    if (file === undefined) throw new Error(`no kernel module ${name}, needed by ${neededBy}`);
    const info = readModuleInfo(file);
    const soft = info.softBefore.filter((other) => !builtin.has(other) && readModule(other) !== undefined);
    const needs = [...new Set([...info.depends, ...soft])].filter((other) => !builtin.has(other));
    const module = { name, data: stripSignature(file), needs };
    found.set(name, module);
    return module;
  };

  const visit = (name: string, neededBy: readonly string[], order: string[]) => {
    if (order.includes(name)) return;
    if (neededBy.includes(name)) throw new Error(`modules in a circle: ${[...neededBy, name].join(" → ")}`);
    for (const other of find(name, neededBy.at(-1) ?? "the guest").needs) {
      visit(other, [...neededBy, name], order);
    }
    order.push(name);
  };

  const order: Record<string, string[]> = {};
  for (const name of [...names].sort()) {
    if (builtin.has(name)) continue;
    const list: string[] = [];
    visit(name, [], list);
    order[name] = list;
  }
  const modules = [...found.values()]
    .map(({ name, data }) => ({ name, data }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return { modules, order };
}

/** "pre: a b post: c" names modules wanted before and after this one. */
function parseSoftBefore(value: string): string[] {
  const before = /(?:^|\s)pre:\s*(.*?)\s*(?=post:|$)/.exec(value)?.[1] ?? "";
  return before.split(/\s+/).filter(Boolean).map(normaliseModuleName);
}
