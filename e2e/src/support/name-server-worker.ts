/**
 * A name server for tests, to be run as a program: `node name-server-worker.ts ADDRESS PORT IPV4 [IPV6]` answers every question
 * for an address with that one, and all others with nothing. It says `listening` when it does.
 */
import { createSocket } from "node:dgram";

const HEADER_BYTES = 12;

const [host = "", port = "", ipv4 = "", ipv6] = process.argv.slice(2);

/** Addresses, by the type of the question. */
const ANSWERS = new Map([
  [1, Buffer.from(ipv4.split(".").map(Number))],
  ...(ipv6 ? ([[28, bytesOfIpv6(ipv6)]] as const) : []),
]);

/** Bytes of an address `A::B` of which both parts are groups. */
function bytesOfIpv6(address: string): Buffer {
  const [head, tail] = address
    .split("::")
    .map((part) => part.split(":").map((group) => Number(`0x${group}`)));
  const bytes = Buffer.alloc(16);
  head?.forEach((group, at) => void bytes.writeUInt16BE(group, 2 * at));
  tail?.reverse().forEach((group, at) => void bytes.writeUInt16BE(group, 14 - 2 * at));
  return bytes;
}

/** Bytes of the question: a name, its end, a type and a class. */
function questionOf(query: Buffer): Buffer {
  let end = HEADER_BYTES;
  while (query.readUInt8(end) !== 0) end += query.readUInt8(end) + 1;
  return query.subarray(HEADER_BYTES, end + 5);
}

function answer(query: Buffer): Buffer {
  const question = questionOf(query);
  const type = question.readUInt16BE(question.length - 4);
  const address = ANSWERS.get(type);
  const header = Buffer.alloc(HEADER_BYTES);
  query.copy(header, 0, 0, 2);
  // A response, as far as recursion goes, to one question, with one answer or none.
  header.writeUInt16BE(0x8180, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(address ? 1 : 0, 6);
  if (!address) return Buffer.concat([header, question]);
  // The name of the question, its type, internet, 60 seconds, the length.
  const record = Buffer.from([0xc0, HEADER_BYTES, 0, type, 0, 1, 0, 0, 0, 60, 0, address.length]);
  return Buffer.concat([header, question, record, address]);
}

const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
socket.on("message", (query, { port: from, address: to }) => socket.send(answer(query), from, to));
socket.bind(Number(port), host, () => process.stdout.write("listening\n"));
