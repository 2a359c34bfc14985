/**
 * Where the worklet's code is found. In the package this module is a file of its own, with `worklet.js` beside it. A bundler
 * merges it into a file of another name, and few bundlers bring a worklet along: the code is carried along for them.
 */

import code from "swara:worklet";

export const workletCode: string = code;

/** Address of `worklet.js` where this module is still the package's own file on a server; null in a bundle. */
export const besideThis: string | null = workletBeside(import.meta.url);

/** The address of the file beside a module's own, or null if that is not what the package ships. */
export function workletBeside(module: string): string | null {
  const [whole, folder] = /^(https?:[^?#]*\/)worklet_source\.js(?=$|[?#])/.exec(module) ?? [];
  return whole ? `${folder}worklet.js${module.slice(whole.length)}` : null;
}
