import { expect, test } from "vitest";
import { parseCases } from "../../validator/cases.ts";

const one = {
  name: "eval-0",
  graph: "controls",
  inputs: { f0_hz: { file: "eval-0.f0_hz.f32", shape: [1, 5, 1] } },
  outputs: ["amplitude"],
};

test("a well-formed file gives its cases", () => {
  expect(parseCases(JSON.stringify({ cases: [one] }))).toEqual([one]);
});

test.each([
  ["no cases", { cases: [] }, "at least one case"],
  ["no list", [], "at least one case"],
  ["a graph outside the bundle", { cases: [{ ...one, graph: "../controls" }] }, "cases[0].graph"],
  [
    "a file outside the folder",
    { cases: [{ ...one, inputs: { x: { file: "/etc/passwd", shape: [1] } } }] },
    "inputs.x.file",
  ],
  [
    "a shape that is none",
    { cases: [{ ...one, inputs: { x: { file: "x.f32", shape: [1.5] } } }] },
    "cases[0].inputs.x must be",
  ],
  ["an output without a name", { cases: [{ ...one, outputs: [3] }] }, "cases[0].outputs[0]"],
  ["two cases with one name", { cases: [one, one] }, "share a name"],
])("%s is an error that names the position", (_, file, message) => {
  expect(() => parseCases(JSON.stringify(file))).toThrow(message);
});
