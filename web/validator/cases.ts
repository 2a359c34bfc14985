/**
 * The cases to run: inputs in raw little-endian float32 files, described by `cases.json` beside them.
 *
 * The caller has the right answers; nothing here judges.
 */

export interface InputFile {
  readonly file: string;
  readonly shape: readonly number[];
}

export interface Case {
  readonly name: string;
  /** Folder of the graph inside the bundle: `controls` or `full`. */
  readonly graph: string;
  readonly inputs: Readonly<Record<string, InputFile>>;
  readonly outputs: readonly string[];
}

const PLAIN_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;

/** Reads the text of a `cases.json`. Throws an Error that names the first thing wrong with it. */
export function parseCases(text: string): Case[] {
  const root: unknown = JSON.parse(text);
  if (!isRecord(root) || !Array.isArray(root.cases) || root.cases.length === 0) {
    throw new Error('must hold {"cases": [...]} with at least one case');
  }
  const cases = root.cases.map(parseCase);
  if (new Set(cases.map(({ graph, name }) => `${graph} ${name}`)).size !== cases.length) {
    throw new Error("two cases of one graph share a name");
  }
  return cases;
}

function parseCase(raw: unknown, index: number): Case {
  const at = `cases[${index}]`;
  if (!isRecord(raw)) throw new Error(`${at} must be an object`);
  const inputs = raw.inputs;
  if (!isRecord(inputs)) throw new Error(`${at}.inputs must be an object`);
  if (!Array.isArray(raw.outputs)) throw new Error(`${at}.outputs must be a list of names`);
  return {
    name: plainName(raw.name, `${at}.name`),
    graph: plainName(raw.graph, `${at}.graph`),
    inputs: Object.fromEntries(
      Object.entries(inputs).map(([key, value]) => [
        plainName(key, `${at}.inputs`),
        parseInput(value, `${at}.inputs.${key}`),
      ]),
    ),
    outputs: raw.outputs.map((name, i) => plainName(name, `${at}.outputs[${i}]`)),
  };
}

function parseInput(raw: unknown, at: string): InputFile {
  if (!isRecord(raw) || !Array.isArray(raw.shape) || !raw.shape.every((n) => Number.isInteger(n) && n >= 0)) {
    throw new Error(`${at} must be {"file": name, "shape": [whole numbers]}`);
  }
  return { file: plainName(raw.file, `${at}.file`), shape: raw.shape };
}

/** Names become parts of file names and URLs, so nothing but letters, digits and `_ . -` may stand in them. */
function plainName(raw: unknown, at: string): string {
  if (typeof raw !== "string" || !PLAIN_NAME.test(raw)) {
    throw new Error(`${at} must be a plain name, not ${JSON.stringify(raw)}`);
  }
  return raw;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
