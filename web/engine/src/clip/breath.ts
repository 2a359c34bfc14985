/** Long work on a thread that others need too. */

const BREATH_MS = 50;

/** Lets others have the thread whenever it was held for long. Call it often. */
export class Breath {
  #since = performance.now();

  /** Whether it is time to let others have the thread. */
  get due(): boolean {
    return performance.now() - this.#since > BREATH_MS;
  }

  /** @throws the signal's reason, where it was aborted meanwhile. */
  async take(signal?: AbortSignal): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve));
    signal?.throwIfAborted();
    this.#since = performance.now();
  }
}
