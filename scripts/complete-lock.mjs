// Completes package-lock.json after `npm install`: node scripts/complete-lock.mjs
//
// npm leaves an optional package out of the lock when the registry at hand does not have it, as with builds for other
// platforms; `npm ci` then refuses the lock. What is added here is never installed on the platforms that husk runs on.
import { readFileSync, writeFileSync } from "node:fs";

const FILE = "package-lock.json";
const SYSTEMS = [
  "android",
  "darwin",
  "freebsd",
  "linux",
  "win32",
  "openharmony",
  "netbsd",
  "openbsd",
  "sunos",
  "aix",
];
const PROCESSORS = [
  "arm64",
  "x64",
  "arm",
  "ia32",
  "ppc64",
  "riscv64",
  "s390x",
  "loong64",
  "mips64el",
  "wasm32",
];

/**
 * The platform that a package is for, by the words of its name.
 * @param {string} name
 */
function platformOf(name) {
  const words = name.split(/[-_/]/);
  const os = SYSTEMS.find((system) => words.includes(system));
  const cpu = PROCESSORS.find((processor) => words.includes(processor));
  const musl = words.some((word) => word.startsWith("musl"));
  const libc = musl ? "musl" : words.includes("gnu") ? "glibc" : undefined;
  if (!os && !cpu) throw new Error(`${name} is for no platform that can be told from its name`);
  return {
    ...(cpu && { cpu: [cpu] }),
    ...(os && { os: [os] }),
    ...(os === "linux" && libc && { libc: [libc] }),
  };
}

const lock = JSON.parse(readFileSync(FILE, "utf8"));
let added = 0;
for (const [path, { dev, optionalDependencies = {} }] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    const key = `node_modules/${name}`;
    if (lock.packages[key] || lock.packages[`${path}/${key}`]) continue;
    lock.packages[key] = { version, ...(dev && { dev }), optional: true, ...platformOf(name) };
    added++;
  }
}
// The root has the empty name, so it stays first.
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(FILE, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${FILE}: ${added} packages for other platforms added`);
