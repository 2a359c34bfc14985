import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Case } from "../../validator/cases.ts";
import { runInNode } from "../../validator/node.ts";
import { type Report, writeReport } from "../../validator/report.ts";
import { type Site, serve } from "../../validator/serve.ts";

let folder: string;
let site: Site;

interface GraphNode {
  name: string;
  op: string;
  input?: string[];
  attr?: object;
}

const float = { type: "DT_FLOAT" };
const input = { name: "x:0", dtype: "DT_FLOAT", tensorShape: { dim: [{ size: "-1" }] } };

/** A graph model with an input `x`, an output `y` and one weight `w` = [1.5]. */
function writeGraph(name: string, nodes: GraphNode[]): void {
  const placeholder = {
    name: "x",
    op: "Placeholder",
    attr: { dtype: float, shape: { shape: { dim: [{ size: "-1" }] } } },
  };
  const weight = { name: "w", op: "Const", attr: { dtype: float } };
  mkdirSync(join(folder, name));
  writeFileSync(join(folder, name, "weights.bin"), new Float32Array([1.5]));
  const model = {
    format: "graph-model",
    signature: { inputs: { x: input }, outputs: { y: { ...input, name: "out:0" } } },
    modelTopology: { node: [placeholder, weight, ...nodes], library: {}, versions: {} },
    weightsManifest: [{ paths: ["weights.bin"], weights: [{ name: "w", shape: [1], dtype: "float32" }] }],
  };
  writeFileSync(join(folder, name, "model.json"), JSON.stringify(model));
}

function xCase(graph: string): Case {
  return { name: "c", graph, inputs: { x: { file: "x.f32", shape: [3] } }, outputs: ["y"] };
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "graphs-"));
  writeGraph("scaled", [{ name: "out", op: "Mul", input: ["x", "w"], attr: { T: float } }]);
  writeGraph("dynamic", [
    { name: "big", op: "Greater", input: ["x", "w"], attr: { T: float } },
    { name: "out", op: "Where", input: ["big"] },
  ]);
  writeGraph("unknown", [{ name: "out", op: "NoSuchOp", input: ["x"] }]);
  writeFileSync(join(folder, "x.f32"), new Float32Array([1, 2, 3]));
  site = await serve({ bundle: folder, cases: folder });
});

afterAll(async () => {
  await site.close();
  rmSync(folder, { recursive: true });
});

test.each(["wasm", "cpu"])(
  "on %s a graph gives its values, one with control flow too, and a broken one its error",
  async (backend) => {
    const run = await runInNode(site.origin, backend, ["scaled", "unknown", "dynamic"].map(xCase));
    expect(run.error).toBeNull();
    expect(run.graphs.scaled).toMatchObject({
      dynamic: false,
      outputs: { c: { y: { shape: [3], data: new Float32Array([1.5, 3, 4.5]) } } },
    });
    expect(run.graphs.dynamic).toMatchObject({
      dynamic: true,
      outputs: { c: { y: { shape: [2, 1], data: new Float32Array([1, 2]) } } },
    });
    expect(run.graphs.unknown).toMatchObject({ error: expect.stringContaining("NoSuchOp") });
  },
);

test("a graph that is not in the bundle is reported by its address", async () => {
  const run = await runInNode(site.origin, "cpu", [xCase("absent")]);
  expect(run.graphs.absent).toMatchObject({ error: expect.stringContaining("/bundle/absent/model.json") });
});

test("the report names a file for every output that holds its float32 values", async () => {
  const out = join(folder, "out");
  await writeReport(out, "4.22.0", { cpu: await runInNode(site.origin, "cpu", [xCase("scaled")]) });
  const report = JSON.parse(readFileSync(join(out, "report.json"), "utf8")) as Report;
  const graph = report.backends.cpu?.graphs.scaled;
  expect(graph).toMatchObject({ error: null, cases: { c: { y: { file: "cpu.scaled.c.y.f32", shape: [3] } } } });
  const bytes = readFileSync(join(out, "cpu.scaled.c.y.f32"));
  expect([0, 4, 8].map((at) => bytes.readFloatLE(at))).toEqual([1.5, 3, 4.5]);
});
