/** Pauses of long work on a thread that others need too. */

const LONGEST_MS = 50;

/** Gives the thread to others whenever it was held for long. Check `due` often. */
export class ThreadPause {
  #since = performance.now();

  /** Whether it is time to give others the thread. */
  get due(): boolean {
    return performance.now() - this.#since > LONGEST_MS;
  }

  /** @throws the signal's reason, where it was aborted meanwhile. */
  async take(signal?: AbortSignal): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve));
    signal?.throwIfAborted();
    this.#since = performance.now();
  }
}
