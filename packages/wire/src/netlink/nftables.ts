/** Tables, chains and rules of the packet filter, one transaction at a time: nf_tables through nfnetlink. */
import type { Network } from "./ip-address.ts";
import { Family, maskOf, networkAddress } from "./ip-address.ts";
import type { Request } from "./message.ts";
import { attribute, join, NLM, nested, text, u16be, u32, u32be } from "./message.ts";

/** Protocol number of the socket. */
export const NETLINK_NETFILTER = 12;

const SUBSYSTEM = 10;
const [BATCH_BEGIN, BATCH_END] = [16, 17];
const NFT_MSG = { NEWTABLE: 0, DELTABLE: 2, NEWCHAIN: 3, NEWRULE: 6 } as const;
/** The family of both IPv4 and IPv6. */
const NFPROTO_INET = 1;
const [REGISTER_VERDICT, REGISTER_1] = [0, 1];
const META = { IIF: 4, NFPROTO: 15, L4PROTO: 16 } as const;
const PAYLOAD = { NETWORK: 1, TRANSPORT: 2 } as const;
const CMP = { EQ: 0, NEQ: 1 } as const;
const CT_STATE = 0;
/** NF_CT_STATE_BIT of established and of related. */
const ESTABLISHED_OR_RELATED = 0b110;
const VERDICTS = { drop: 0, accept: 1 } as const;

/** Where in a packet's way a chain is. */
interface Hook {
  type: "filter" | "nat";
  /** NF_INET_PRE_ROUTING, NF_INET_LOCAL_IN */
  hook: 0 | 1;
  /** lower ones come first */
  priority: number;
}

/** Part of a rule, encoded: what it looks at, or what it does. */
export type Expression = Uint8Array;

/** A chain and its rules, each a list of expressions. */
export interface Chain {
  name: string;
  hook: Hook;
  rules: (readonly Expression[])[];
}

function message(type: number, flags: number, parts: readonly Uint8Array[]): Request {
  // struct nfgenmsg: family, version, resource
  const body = join([Uint8Array.of(NFPROTO_INET, 0, 0, 0), ...parts]);
  return { type: (SUBSYSTEM << 8) | type, flags, body };
}

function batchMark(type: number): Request {
  return { type, flags: 0, body: join([Uint8Array.of(0, 0), u16be(SUBSYSTEM)]) };
}

/** A transaction: the kernel does all of the requests or none. */
function transaction(requests: readonly Request[]): Request[] {
  return [batchMark(BATCH_BEGIN), ...requests, batchMark(BATCH_END)];
}

const makeTable = (name: string) => message(NFT_MSG.NEWTABLE, NLM.CREATE, [attribute(1, text(name))]);
const removeTable = (name: string) => message(NFT_MSG.DELTABLE, 0, [attribute(1, text(name))]);

function makeChain(table: string, { name, hook }: Chain): Request {
  return message(NFT_MSG.NEWCHAIN, NLM.CREATE, [
    attribute(1, text(table)),
    attribute(3, text(name)),
    nested(4, [attribute(1, u32be(hook.hook)), attribute(2, u32be(hook.priority))]),
    attribute(7, text(hook.type)),
  ]);
}

function makeRule(table: string, chain: string, expressions: readonly Expression[]): Request {
  return message(NFT_MSG.NEWRULE, NLM.CREATE | NLM.APPEND, [
    attribute(1, text(table)),
    attribute(2, text(chain)),
    nested(4, expressions),
  ]);
}

/** Makes a table be these chains and nothing else, whatever it was before. */
export function replaceTable(name: string, chains: readonly Chain[]): Request[] {
  return transaction([
    // So that there is one to remove.
    makeTable(name),
    removeTable(name),
    makeTable(name),
    ...chains.flatMap((chain) => [
      makeChain(name, chain),
      ...chain.rules.map((rule) => makeRule(name, chain.name, rule)),
    ]),
  ]);
}

/** Removes a table and all that is in it; one that is not there is no error. */
export function deleteTable(name: string): Request[] {
  return transaction([makeTable(name), removeTable(name)]);
}

function expression(name: string, ...parts: Uint8Array[]): Expression {
  return nested(1, [attribute(1, text(name)), nested(2, parts)]);
}

const value = (type: number, bytes: Uint8Array) => nested(type, [attribute(1, bytes)]);

const loadMeta = (key: number) =>
  expression("meta", attribute(2, u32be(key)), attribute(1, u32be(REGISTER_1)));

const loadPayload = (base: number, offset: number, length: number) =>
  expression(
    "payload",
    attribute(1, u32be(REGISTER_1)),
    attribute(2, u32be(base)),
    attribute(3, u32be(offset)),
    attribute(4, u32be(length)),
  );

const compare = (operation: number, bytes: Uint8Array) =>
  expression("cmp", attribute(1, u32be(REGISTER_1)), attribute(2, u32be(operation)), value(3, bytes));

const applyMask = (mask: Uint8Array) =>
  expression(
    "bitwise",
    attribute(1, u32be(REGISTER_1)),
    attribute(2, u32be(REGISTER_1)),
    attribute(3, u32be(mask.length)),
    value(4, mask),
    value(5, new Uint8Array(mask.length)),
  );

/** Packets of connections that are known, or belong to such. */
export function ofKnownConnection(): Expression[] {
  return [
    expression("ct", attribute(2, u32be(CT_STATE)), attribute(1, u32be(REGISTER_1))),
    applyMask(u32(ESTABLISHED_OR_RELATED)),
    compare(CMP.NEQ, u32(0)),
  ];
}

/** Packets of a protocol above IP, by its number. */
export function ofProtocol(protocol: number): Expression[] {
  return [loadMeta(META.L4PROTO), compare(CMP.EQ, Uint8Array.of(protocol))];
}

/** Packets that came in through an interface, by its index. */
export function throughLink(index: number): Expression[] {
  return [loadMeta(META.IIF), compare(CMP.EQ, u32(index))];
}

/** Packets from a network. */
export function fromNetwork(network: Network): Expression[] {
  const family = [loadMeta(META.NFPROTO), compare(CMP.EQ, Uint8Array.of(network.family))];
  if (network.prefix === 0) return family;
  const [offset, length] = network.family === Family.INET ? [12, 4] : [8, 16];
  return [
    ...family,
    loadPayload(PAYLOAD.NETWORK, offset, length),
    ...(network.prefix < 8 * length ? [applyMask(maskOf(network))] : []),
    compare(CMP.EQ, networkAddress(network)),
  ];
}

/** Packets of a protocol to a port. */
export function toPort(protocol: number, port: number): Expression[] {
  return [...ofProtocol(protocol), loadPayload(PAYLOAD.TRANSPORT, 2, 2), compare(CMP.EQ, u16be(port))];
}

/** What becomes of a packet that is all that was said before. */
export function verdict(name: keyof typeof VERDICTS): Expression {
  return expression(
    "immediate",
    attribute(1, u32be(REGISTER_VERDICT)),
    nested(2, [nested(2, [attribute(1, u32be(VERDICTS[name]))])]),
  );
}

/** Sends packets to a port of this machine instead. */
export function redirectTo(port: number): Expression[] {
  return [
    expression("immediate", attribute(1, u32be(REGISTER_1)), value(2, u16be(port))),
    expression("redir", attribute(1, u32be(REGISTER_1))),
  ];
}
