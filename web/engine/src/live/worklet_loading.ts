/** Loads the worklet's module into a context, whatever became of the package's files on their way into a page. */

import { besideThis, workletCode } from "./worklet_source.ts";

type Worklets = BaseAudioContext["audioWorklet"];

/**
 * Adds the worklet's module.
 *
 * @param given its address, if the page names one.
 * @throws Error it cannot be loaded; the message gives the address and what to do.
 */
export async function addWorklet(worklets: Worklets, given?: string | URL): Promise<void> {
  const address = given ?? besideThis;
  if (address) return add(worklets, address, "load the page anew");
  const embedded = URL.createObjectURL(new Blob([workletCode], { type: "text/javascript" }));
  try {
    await add(worklets, embedded, "allow blob: in script-src of the page's policy, or give the option `worklet`");
  } finally {
    URL.revokeObjectURL(embedded);
  }
}

async function add(worklets: Worklets, address: string | URL, remedy: string): Promise<void> {
  await worklets.addModule(address).catch((cause: unknown) => {
    throw new Error(`the engine's worklet cannot be loaded from ${address}: ${remedy}`, { cause });
  });
}
