/**
 * A name server for tests, to be run as a program: `node name-server-worker.ts ADDRESS PORT IPV4` answers every question for an
 * IPv4 address with that one, and all others with nothing. It says `listening` when it does.
 */
import { createSocket } from "node:dgram";

const TYPE_A = 1;
const HEADER_BYTES = 12;

const [host = "", port = "", address = ""] = process.argv.slice(2);

/** Bytes of the question: a name, its end, a type and a class. */
function questionOf(query: Buffer): Buffer {
  let end = HEADER_BYTES;
  while (query.readUInt8(end) !== 0) end += query.readUInt8(end) + 1;
  return query.subarray(HEADER_BYTES, end + 5);
}

function answer(query: Buffer): Buffer {
  const question = questionOf(query);
  const isAddress = question.readUInt16BE(question.length - 4) === TYPE_A;
  const header = Buffer.alloc(HEADER_BYTES);
  query.copy(header, 0, 0, 2);
  // A response, as far as recursion goes, to one question, with one answer or none.
  header.writeUInt16BE(0x8180, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(isAddress ? 1 : 0, 6);
  // The name of the question, IPv4, internet, 60 seconds, 4 bytes.
  const record = Buffer.from([0xc0, HEADER_BYTES, 0, TYPE_A, 0, 1, 0, 0, 0, 60, 0, 4]);
  return Buffer.concat([
    header,
    question,
    ...(isAddress ? [record, Buffer.from(address.split(".").map(Number))] : []),
  ]);
}

const socket = createSocket("udp4");
socket.on("message", (query, { port: from, address: to }) => socket.send(answer(query), from, to));
socket.bind(Number(port), host, () => process.stdout.write("listening\n"));
