/** Debian source packages of another release, by the machine's own mirror, without touching the machine's apt. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runTool, ToolError } from "./run-tool.ts";

/** A source package, pinned. */
export interface DebianSource {
  /** the release that has it, by code name */
  release: string;
  name: string;
  version: string;
  /** file name of the upstream tarball */
  tarball: string;
  /** SHA-256 of the tarball, in hex */
  sha256: string;
}

/** The Debian mirror that this machine's apt uses: its base address, whatever form the sources are written in. */
async function findMirror(): Promise<string> {
  const format = "$(LABEL)|$(COMPONENT)|$(REPO_URI)";
  const targets = await runTool("apt-get", ["indextargets", "--format", format, "Created-By: Packages"]);
  const mirror = targets
    .split("\n")
    .map((line) => line.split("|"))
    .find(([label, component]) => label === "Debian" && component === "main")?.[2];
  if (!mirror) {
    throw new ToolError("apt-get indextargets", "names no Debian mirror; run `apt-get update` once", targets);
  }
  return mirror;
}

async function isChecked(path: string, sha256: string): Promise<boolean> {
  if (!existsSync(path)) return false;
  return (
    createHash("sha256")
      .update(await readFile(path))
      .digest("hex") === sha256
  );
}

/**
 * The path of the package's upstream tarball, downloaded once. apt verifies the release's signature with Debian's own
 * keyring, and the tarball must have the pinned checksum.
 */
export async function fetchDebianSource(source: DebianSource, folder: string): Promise<string> {
  const tarball = join(folder, source.tarball);
  if (await isChecked(tarball, source.sha256)) return tarball;
  const work = await mkdtemp(join(folder, "apt-"));
  await mkdir(join(work, "lists", "partial"), { recursive: true });
  try {
    const list = join(work, "sources.list");
    const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
    await writeFile(list, `deb-src [signed-by=${keyring}] ${await findMirror()} ${source.release} main\n`);
    const options = [
      `Dir::Etc::sourcelist=${list}`,
      "Dir::Etc::sourceparts=/dev/null",
      `Dir::State::Lists=${join(work, "lists")}`,
      // The work folder is ours alone, so apt's own unprivileged user could not write in it.
      "APT::Sandbox::User=root",
    ].flatMap((option) => ["-o", option]);
    await runTool("apt-get", [...options, "update"]);
    const wanted = `${source.name}=${source.version}`;
    await runTool("apt-get", [...options, "source", "--download-only", wanted], { cwd: work });
    const downloaded = join(work, source.tarball);
    if (!(await isChecked(downloaded, source.sha256))) {
      throw new ToolError(wanted, `has not the SHA-256 ${source.sha256} that is pinned`, "");
    }
    await rename(downloaded, tarball);
    return tarball;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
