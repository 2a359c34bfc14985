/** Ends this process with the one that started it, even where that one was killed and could end nobody. */

import { Worker } from "node:worker_threads";

const POLL_MS = 500;

/** What the watching thread runs: it also works while this thread computes for long. */
const WATCH = `
  const { workerData } = require("node:worker_threads");
  let signal = "SIGTERM";
  setInterval(() => {
    if (process.ppid === workerData) return;
    process.kill(process.pid, signal);
    signal = "SIGKILL"; // no handler runs while the other thread computes
  }, ${POLL_MS});
`;

/**
 * Ends this process once its parent has ended, and with it its browser.
 *
 * @param parent process id of the one that started this one, which may have ended already.
 */
export function endWith(parent: number): void {
  new Worker(WATCH, { eval: true, workerData: parent }).unref();
}
