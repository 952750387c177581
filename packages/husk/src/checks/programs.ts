import { accessSync, constants, statSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import type { CheckResult } from "./check-result.ts";

/** Something of a Debian package that husk needs at run time. */
interface Need {
  /** program, looked up in PATH, or absolute path of a file */
  readonly what: string;
  readonly debianPackage: string;
  readonly why: string;
}

/** name of QEMU's program */
export const QEMU = "qemu-system-x86_64";

const NEEDS: readonly Need[] = [
  { what: QEMU, debianPackage: "qemu-system-x86", why: "runs the VMs" },
  { what: "/usr/share/qemu/qboot.rom", debianPackage: "qemu-system-data", why: "is the VMs' firmware" },
  { what: "mkfs.erofs", debianPackage: "erofs-utils", why: "packs root file systems" },
  { what: "flock", debianPackage: "util-linux", why: "locks pods" },
];

/** Looks for the programs and files of other packages. */
export function checkPrograms(env: NodeJS.ProcessEnv): CheckResult[] {
  return NEEDS.map(({ what, debianPackage, why }) => {
    const wanted = what === QEMU && env.HUSK_QEMU ? env.HUSK_QEMU : what;
    const found = findProgram(wanted, env);
    const name = what.slice(what.lastIndexOf("/") + 1);
    if (found !== undefined) return { name, state: "ok", detail: `${found} (${why})` };
    const hint = `apt-get install ${debianPackage}`;
    return { name, state: "missing", detail: `${wanted} is not there: it ${why}`, hint };
  });
}

/** Finds a program in PATH, or a file by its path; undefined: it is not there. */
export function findProgram(what: string, env: NodeJS.ProcessEnv): string | undefined {
  if (what.includes("/"))
    return isUsable(what, isAbsolute(what) ? constants.R_OK : constants.X_OK) ? what : undefined;
  const folders = (env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  return folders.map((folder) => join(folder, what)).find((path) => isUsable(path, constants.X_OK));
}

function isUsable(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
