/**
 * Checks JSON values against a JSON Schema, as far as the manifest's schema goes. A keyword that is not listed here is
 * an error, so that a schema which grows is not silently half checked.
 */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type Schema = { readonly [keyword: string]: Json };

/** Finds what is wrong, `a/b/0: must be ...`; null where the value follows the schema. */
export function violation(value: unknown, schema: Schema): string | null {
  return check(value, schema, schema, "");
}

type Rule = (value: unknown, argument: Json, schema: Schema, root: Schema, path: string) => string | null;

const RULES: Readonly<Record<string, Rule>> = {
  $ref: (value, name, _, root, path) => check(value, definition(String(name), root), root, path),
  type: (value, type, _, __, path) => {
    const types = [type].flat() as string[];
    return types.some((name) => isOfType(value, name)) ? null : at(path, `must be ${types.join(" or ")}`);
  },
  const: (value, wanted, _, __, path) => (value === wanted ? null : at(path, `must be ${JSON.stringify(wanted)}`)),
  enum: (value, allowed, _, __, path) =>
    (allowed as Json[]).includes(value as Json) ? null : at(path, `must be one of ${JSON.stringify(allowed)}`),
  minimum: (value, least, _, __, path) =>
    typeof value !== "number" || value >= Number(least) ? null : at(path, `must be at least ${least}`),
  minLength: (value, least, _, __, path) =>
    typeof value !== "string" || value.length >= Number(least)
      ? null
      : at(path, `must have ${least} characters or more`),
  pattern: (value, pattern, _, __, path) =>
    typeof value !== "string" || new RegExp(String(pattern), "u").test(value)
      ? null
      : at(path, `must match ${pattern}`),
  minItems: (value, least, _, __, path) =>
    !Array.isArray(value) || value.length >= Number(least) ? null : at(path, `must have ${least} entries or more`),
  items: (value, items, _, root, path) =>
    Array.isArray(value) ? first(value, (item, i) => check(item, items as Schema, root, `${path}/${i}`)) : null,
  required: (value, names, _, __, path) => {
    const missing = isObject(value) ? (names as string[]).filter((name) => !Object.hasOwn(value, name)) : [];
    return missing.length ? at(path, `lacks ${missing.join(", ")}`) : null;
  },
  properties: (value, properties, _, root, path) => {
    if (!isObject(value)) return null;
    const known = Object.entries(properties as Record<string, Schema>).filter(([name]) => Object.hasOwn(value, name));
    return first(known, ([name, its]) => check(value[name], its, root, `${path}/${name}`));
  },
  additionalProperties: (value, allowed, schema, root, path) => {
    if (!isObject(value) || allowed === true) return null;
    const known = (schema.properties ?? {}) as Record<string, Json>;
    const others = Object.keys(value).filter((name) => !Object.hasOwn(known, name));
    if (allowed === false) return others.length ? at(path, `has no ${others.join(", ")}`) : null;
    return first(others, (name) => check(value[name], allowed as Schema, root, `${path}/${name}`));
  },
  oneOf: (value, choices, _, root, path) => {
    const faults = (choices as Schema[]).map((choice) => check(value, choice, root, path));
    const fitting = faults.filter((fault) => fault === null).length;
    return fitting === 1 ? null : at(path, fitting ? "fits more than one form" : `fits no form (${faults.join("; ")})`);
  },
};

const WITHOUT_RULE = new Set(["$schema", "$defs", "title", "description"]);

function check(value: unknown, schema: Schema, root: Schema, path: string): string | null {
  return first(Object.entries(schema), ([keyword, argument]) => {
    if (WITHOUT_RULE.has(keyword)) return null;
    const rule = RULES[keyword];
    if (!rule) throw new Error(`the schema uses ${keyword}, which this engine does not check`);
    return rule(value, argument, schema, root, path);
  });
}

function definition(reference: string, root: Schema): Schema {
  const found = (root.$defs as Record<string, Schema>)[reference.replace("#/$defs/", "")];
  if (!found) throw new Error(`the schema has no ${reference}`);
  return found;
}

function isOfType(value: unknown, type: string): boolean {
  switch (type) {
    case "null":
      return value === null;
    case "array":
      return Array.isArray(value);
    case "object":
      return isObject(value);
    case "integer":
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function first<T>(values: readonly T[], fault: (value: T, index: number) => string | null): string | null {
  for (const [index, value] of values.entries()) {
    const found = fault(value, index);
    if (found !== null) return found;
  }
  return null;
}

function at(path: string, fault: string): string {
  return `${path.slice(1) || "(root)"} ${fault}`;
}
