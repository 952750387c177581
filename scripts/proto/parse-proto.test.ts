import assert from "node:assert/strict";
import { test } from "node:test";
import { parseProto } from "./parse-proto.ts";
import { renderMessages, TypeIndex } from "./render-messages.ts";
import { renderServices } from "./render-services.ts";

const head = 'syntax = "proto3";\n\npackage p;\n';

test("messages, fields, enums, services and their comments are read", () => {
  const file = parseProto(
    `// Of the file.

${head}
import "b.proto";

// One of
// two lines.
message Outer {
  enum Kind {
    // nought
    NONE = 0;
  }
  // kind of it
  Kind some_kind = 2;
  optional uint32 maybe = 1;
  repeated q.Other others = 3;
  map<string, int64> by_name = 4;
  oneof choice {
    bool chosen = 5;
  }
}

message Bare {}

service S {
  // Asks.
  rpc Ask(Bare) returns (q.Other);
}`,
    "a",
  );
  assert.deepEqual(file, {
    name: "a",
    package: "p",
    messages: [
      {
        name: "Outer",
        comment: "One of\ntwo lines.",
        fields: [
          { name: "maybe", comment: "", number: 1, type: "uint32", rule: "optional" },
          { name: "some_kind", comment: "kind of it", number: 2, type: "Kind", rule: "" },
          { name: "others", comment: "", number: 3, type: "q.Other", rule: "repeated" },
          { name: "by_name", comment: "", number: 4, type: "int64", rule: "map" },
          { name: "chosen", comment: "", number: 5, type: "bool", rule: "optional" },
        ],
      },
      { name: "Bare", comment: "", fields: [] },
    ],
    enums: [{ name: "Outer_Kind", comment: "", values: [{ name: "NONE", comment: "nought", number: 0 }] }],
    services: [
      { name: "S", methods: [{ name: "Ask", comment: "Asks.", request: "Bare", response: "q.Other" }] },
    ],
  });
});

test("what is not understood is refused, with its line", () => {
  const cases: [body: string, message: RegExp][] = [
    ["option x = 1;", /a\.proto:4: "option"/],
    ["message M {\n  reserved 4;\n}", /a\.proto:5/],
    ["message M {\n  oneof o {\n    bool a = 1;\n    bool b = 2;\n  }\n}", /a\.proto:7/],
    ["message M {\n  map<int32, string> m = 1;\n}", /a\.proto:5: "int32"/],
    ["message M {\n  bool a = 1 [deprecated = true];\n}", /a\.proto:5: what is "\["/],
    ["/* no */", /a\.proto:4/],
    ["message M {", /ends too early/],
    ["service S {\n  rpc A(stream M) returns (M);\n}", /a\.proto:5: "M"/],
  ];
  for (const [body, message] of cases) {
    assert.throws(() => parseProto(head + body, "a"), message, body);
  }
});

test("a message comes behind those that it holds", () => {
  const file = parseProto(
    `${head}message A { B b = 1; }\nmessage B { repeated string texts_of_b = 1; }`,
    "a",
  );
  const text = renderMessages(file, new TypeIndex([file]));
  assert.ok(
    text.indexOf('messageType("p.B", "1*s textsOfB")') < text.indexOf('messageType("p.A", "1m b", [B])'),
  );
});

test("a message that holds itself, and an unknown type, are refused", () => {
  const ring = parseProto(`${head}message A { B b = 1; }\nmessage B { A a = 1; }`, "a");
  assert.throws(() => renderMessages(ring, new TypeIndex([ring])), /a\.proto: A holds itself/);
  const lost = parseProto(`${head}message A { C c = 1; }\nservice S { rpc Ask(D) returns (A); }`, "a");
  assert.throws(() => renderMessages(lost, new TypeIndex([lost])), /no type C/);
  assert.throws(() => renderServices([lost], new TypeIndex([lost])), /no type D/);
});
