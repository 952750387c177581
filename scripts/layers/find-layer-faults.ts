/** A source file of a package. */
export interface SourceFile {
  /** path from the repository's root, such as "packages/wire/src/a.ts" */
  path: string;
  /** contents */
  text: string;
}

/** What is needed of a package's package.json. */
export interface PackageManifest {
  /** npm's name for it */
  name: string;
  /** other packages it declares, and their versions */
  dependencies?: Record<string, string>;
}

/** Which of our packages each one may import, by the folder under `packages`. */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  wire: [],
  tiny: ["@husk/wire"],
  "guest-agent": ["@husk/tiny", "@husk/wire"],
  proxy: ["@husk/tiny", "@husk/wire"],
  shim: ["@husk/tiny", "@husk/wire"],
  resident: ["@husk/proxy", "@husk/shim", "@husk/tiny", "@husk/wire"],
  virtcontainers: ["@husk/wire"],
  "guest-image": ["@husk/tiny"],
  "container-module": ["@husk/virtcontainers", "@husk/wire"],
  husk: ["@husk/virtcontainers", "@husk/guest-image", "@husk/container-module"],
};

/** What also runs in QuickJS, where there is no Node. Tests and fuzz targets run in Node. */
const RESIDENT = /^packages\/(wire|(tiny|guest-agent|proxy|shim|resident)\/(src|test\/programs))\//;
const RUNS_IN_NODE = /\.test\.ts$|\/(fuzz|build|test-support)\/|\/build\.ts$|\.config\.ts$/;

const IMPORT = /(?:^|[\s;}])(?:import|export)\s+(?:type\s+)?(?:[\w*{}\s,$]+?\s+from\s+)?["']([^"']+)["']/g;
const DYNAMIC_IMPORT = /\bimport\s*\(\s*["']([^"']+)["']/g;

/** Finds what is against the layers; one line for a person each, none when all is well. */
export function findLayerFaults(
  files: readonly SourceFile[],
  manifests: readonly PackageManifest[],
): string[] {
  const declared = new Map(
    manifests.map(({ name, dependencies }) => [name, new Set(Object.keys(dependencies ?? {}))]),
  );
  return files.flatMap((file) =>
    readImports(file.text)
      .map((specifier) => judgeImport(file.path, specifier, declared))
      .filter((fault) => fault !== undefined)
      .map((fault) => `${file.path}: ${fault}`),
  );
}

/** Gives the specifiers that a source file imports or re-exports, as they stand there. */
export function readImports(text: string): string[] {
  return [IMPORT, DYNAMIC_IMPORT].flatMap((form) => [...text.matchAll(form)].map((match) => match[1] ?? ""));
}

function judgeImport(
  path: string,
  specifier: string,
  declared: ReadonlyMap<string, ReadonlySet<string>>,
): string | undefined {
  const folder = path.split("/")[1] ?? "";
  const allowed = LAYERS[folder];
  if (allowed === undefined) return `the package ${folder} has no layer: add it to the table`;
  if (specifier.startsWith(".")) {
    return staysInPackage(path, specifier) ? undefined : `${specifier} leads out of the package`;
  }
  if (specifier.startsWith("node:")) {
    const resident = RESIDENT.test(path) && !RUNS_IN_NODE.test(path);
    return resident ? `${specifier} does not exist in the guest` : undefined;
  }
  // The system-call binding that tiny links into its programs: it exists nowhere else.
  if (specifier.startsWith("tiny:")) {
    return RESIDENT.test(path) && folder !== "wire"
      ? undefined
      : `${specifier} exists only in tiny's programs`;
  }
  const other = specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
  const own = folder === "husk" ? "husk" : `@husk/${folder}`;
  if (other === own) return undefined;
  const isOurs = other === "husk" || other.startsWith("@husk/");
  if (isOurs && !allowed.includes(other)) return `may not import ${other}`;
  // What only tests and builds import belongs to the repository's own development packages.
  if (!isOurs && RUNS_IN_NODE.test(path)) return undefined;
  return declared.get(own)?.has(other) ? undefined : `imports ${other}, which its package.json does not name`;
}

function staysInPackage(path: string, specifier: string): boolean {
  let depth = path.split("/").length - 3;
  for (const part of specifier.split("/")) {
    if (part === "..") depth -= 1;
    else if (part !== ".") depth += 1;
    if (depth < 0) return false;
  }
  return true;
}
