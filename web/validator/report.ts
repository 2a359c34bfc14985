/** Writes the results: `report.json`, and every output's values in a raw little-endian float32 file beside it. */

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { BackendRun } from "./backends.ts";
import type { GraphRun } from "./graph.ts";

export interface OutputFile {
  readonly file: string;
  readonly shape: number[];
}

export type GraphReport = { error: string } | (Omit<GraphRun, "outputs"> & { error: null; cases: CaseReports });

/** Case -> output -> the file of its values. */
export type CaseReports = Record<string, Record<string, OutputFile>>;

export interface Report {
  /** Version of TensorFlow.js. */
  readonly tfjs: string;
  readonly backends: Record<string, Omit<BackendRun, "graphs"> & { graphs: Record<string, GraphReport> }>;
}

/** Writes the report and all values into `out`, which is made if it is absent. */
export async function writeReport(
  out: string,
  tfjs: string,
  runs: Readonly<Record<string, BackendRun>>,
): Promise<void> {
  await mkdir(out, { recursive: true });
  const report: Report = { tfjs, backends: {} };
  for (const [backend, run] of Object.entries(runs)) {
    const graphs: Record<string, GraphReport> = {};
    for (const [graph, result] of Object.entries(run.graphs)) {
      graphs[graph] = "error" in result ? result : await writeGraph(out, `${backend}.${graph}`, result);
    }
    report.backends[backend] = { ...run, graphs };
  }
  await writeFile(join(out, "report.json"), `${JSON.stringify(report, null, 2)}\n`);
}

async function writeGraph(out: string, prefix: string, { outputs, ...measured }: GraphRun): Promise<GraphReport> {
  const cases: CaseReports = {};
  for (const [name, values] of Object.entries(outputs)) {
    const files: Record<string, OutputFile> = {};
    for (const [output, { shape, data }] of Object.entries(values)) {
      const file = `${prefix}.${name}.${output}.f32`;
      await writeFile(join(out, file), data);
      files[output] = { file, shape };
    }
    cases[name] = files;
  }
  return { ...measured, error: null, cases };
}
