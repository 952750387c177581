/** cc-proxy as a process, with a fake agent behind it and clients before it. */

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { buildProgram } from "@husk/tiny/build";
import { FakeAgent } from "./fake-agent.ts";
import { ProxyClient } from "./proxy-client.ts";

/** Milliseconds after which a proxy of a test is killed, which fails the test. */
const DEADLINE_MS = 180_000;

let built: Promise<string> | undefined;

function proxyPath(): Promise<string> {
  built ??= (async () => {
    const folder = await mkdtemp(join(tmpdir(), "husk-proxy-"));
    process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
    const entry = join(import.meta.dirname, "..", "programs", "cc-proxy.ts");
    return (await buildProgram({ entry, output: join(folder, "cc-proxy") })).output;
  })();
  return built;
}

/** How a bench is made. */
export interface BenchOptions {
  /** the proxy keeps its state in a file */
  keepsState?: boolean;
  /** path of cc-proxy; missing: it is built */
  program?: string;
}

/** See the head of the file. */
export class ProxyBench {
  readonly agent: FakeAgent;
  readonly stateFile: string;
  /** what all proxies have said */
  log = "";
  child: ChildProcess | undefined;
  /** path of the proxy's socket */
  readonly path: string;
  /** folder of its files */
  readonly folder: string;
  readonly program: string;

  private constructor(agent: FakeAgent, folder: string, program: string) {
    this.agent = agent;
    this.path = join(folder, "proxy.sock");
    this.folder = folder;
    this.stateFile = join(folder, "state.json");
    this.program = program;
  }

  /** Makes an agent and starts a proxy, that ends with the test. */
  static async start(test: TestContext, options: BenchOptions = {}): Promise<ProxyBench> {
    const program = options.program ?? (await proxyPath());
    const folder = await mkdtemp(join(tmpdir(), "husk-proxy-test-"));
    const bench = new ProxyBench(await FakeAgent.listen(folder), folder, program);
    test.after(async () => {
      bench.agent.close();
      if (bench.child?.exitCode === null && bench.child.signalCode === null) await bench.kill();
      bench.#killSuccessor();
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    });
    await bench.startProxy(options);
    return bench;
  }

  /** Starts a proxy, in the place of a dead one. */
  async startProxy({ keepsState = false }: { keepsState?: boolean } = {}): Promise<void> {
    rmSync(this.path, { force: true });
    const state = keepsState ? ["-state-file", this.stateFile] : [];
    // As whoever starts a proxy does: it holds the lock, and nobody else can start another.
    const lock = ["-c", 'exec 3<>"$0" && flock -n 3 && exec "$@"', join(this.folder, "proxy.lock")];
    const args = ["-uri", `unix://${this.path}`, "-log", "debug", "-lock-fd", "3", ...state];
    const child = spawn("/bin/sh", [...lock, this.program, ...args], {
      stdio: ["ignore", "ignore", "pipe"],
      timeout: DEADLINE_MS,
      killSignal: "SIGKILL",
    });
    this.child = child;
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.log += text;
    });
    await this.#untilListening();
  }

  async #untilListening(): Promise<void> {
    for (;;) {
      try {
        return (await ProxyClient.connect(this.path)).drop();
      } catch {
        assert.equal(this.child?.exitCode, null, this.log);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
  }

  /** Resolves when it has said something. */
  async says(wanted: RegExp): Promise<void> {
    const signal = AbortSignal.timeout(DEADLINE_MS);
    while (!wanted.test(this.log) && this.child?.stderr) await once(this.child.stderr, "data", { signal });
  }

  client(): Promise<ProxyClient> {
    return ProxyClient.connect(this.path);
  }

  /** A client that has registered the agent's VM, and tokens of it. */
  async register(tokens = 0): Promise<{ caller: ProxyClient; tokens: string[] }> {
    const caller = await this.client();
    return { caller, tokens: await caller.register(this.agent, tokens) };
  }

  /** kill -9 */
  async kill(): Promise<void> {
    if (!this.child) return;
    const exited = once(this.child, "exit");
    this.child.kill("SIGKILL");
    await exited;
  }

  /** One that a shim has brought back is nobody's child here; its lock names it. */
  #killSuccessor(): void {
    const pid = Number(readFileSync(join(this.folder, "proxy.lock"), "utf8"));
    if (pid === this.child?.pid) return;
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended.
    }
  }

  /** Its exit status, when it has ended by itself. */
  async ended(): Promise<number | null> {
    if (!this.child) return null;
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, "exit");
    return this.child.exitCode;
  }

  /** Its memory and time so far, as the kernel counts them. */
  usage(): { rssKib: number; ticks: number } {
    const status = readFileSync(`/proc/${this.child?.pid}/status`, "utf8");
    const stat = readFileSync(`/proc/${this.child?.pid}/stat`, "utf8").split(" ");
    return {
      rssKib: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]),
      ticks: Number(stat[13]) + Number(stat[14]),
    };
  }
}
