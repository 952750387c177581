import type { PodConfig } from "../types/index.ts";
import { ccProxy } from "./cc.ts";
import { kataProxy } from "./kata.ts";
import { noProxy } from "./no.ts";
import { noopProxy } from "./noop.ts";
import type { ProxyKind } from "./types.ts";

/** The proxy of a pod. */
export function createProxy({ proxyType = "noProxy", proxyConfig = {} }: PodConfig): ProxyKind {
  switch (proxyType) {
    case "ccProxy":
      return ccProxy(proxyConfig);
    case "kataProxy":
      return kataProxy(proxyConfig);
    case "noopProxy":
      return noopProxy;
    case "noProxy":
      return noProxy;
  }
}
