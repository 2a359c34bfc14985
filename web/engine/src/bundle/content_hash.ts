/**
 * The hash of a bundle's content, which the name of an older version holds, as `bundles/manifest.py` computes it.
 *
 * The names of newer versions hold the hash of the whole manifest, which covers metrics and the model card too.
 * Python and JavaScript write numbers differently, so the manifest's own text is hashed, without the parts that do not
 * belong to the content: published manifests are written without spaces, keys in order. Any other form of the same
 * values is not what was published, and has another hash.
 */

const CARD = "README.md";

/**
 * Returns what is hashed: the text of a manifest without times, metrics and the model card.
 *
 * @param text a manifest that follows the schema, so that it is valid JSON.
 */
export function contentText(text: string): string {
  const members = parts(text, 0).filter((part) => !["created", "metrics"].includes(keyOf(part)));
  return `{${members.map(contentMember).join(",")}}`;
}

function contentMember(member: string): string {
  const key = keyOf(member);
  if (key === "training") return `"training":{${parts(member, valueAt(member)).filter(isNoTime).join(",")}}`;
  if (key === "files") return `"files":[${parts(member, valueAt(member)).filter(isNoCard).join(",")}]`;
  return member;
}

function isNoTime(member: string): boolean {
  return keyOf(member) !== "seconds";
}

function isNoCard(file: string): boolean {
  return JSON.parse(file).path !== CARD;
}

/** The key of `"key":value`. */
function keyOf(member: string): string {
  return JSON.parse(member.slice(0, stringEnd(member, member.indexOf('"'))));
}

/** Index of the value of `"key":value`. */
function valueAt(member: string): number {
  return member.indexOf(":", stringEnd(member, member.indexOf('"'))) + 1;
}

/** Splits the members of the object, or the items of the array, that begins at an index of valid JSON. */
function parts(text: string, start: number): string[] {
  const found: string[] = [];
  let depth = 0;
  let from = start + 1;
  for (let at = start; at < text.length; at++) {
    const character = text[at];
    if (character === '"') at = stringEnd(text, at) - 1;
    else if (character === "{" || character === "[") depth++;
    else if (character === "}" || character === "]") depth--;
    if (depth > 1 || (depth === 1 && character !== ",")) continue;
    if (at > from) found.push(text.slice(from, at));
    from = at + 1;
    if (depth === 0) break;
  }
  return found;
}

/** Index after the string that begins at an index. */
function stringEnd(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === '"') return at + 1;
  }
  return text.length;
}
