/**
 * A guard against feedback: the microphone picks up the instrument, the instrument plays what comes in, and so on.
 *
 * Both a singer and a loop are loud, so loudness proves nothing. The guard tests it: it turns the sound down for a
 * moment. A voice continues, feedback decays. Then the sound stays off until the player wants it back.
 */

export type GuardState = "open" | "testing" | "shut";

/** Levels that the guard watches, about 25 times a second. */
export interface GuardReport {
  /** s, of any clock that only rises. */
  readonly time: number;
  /** dB of the microphone's level. */
  readonly microphoneDb: number;
  /** dB of the level at the loudspeaker. */
  readonly playedDb: number;
}

/** dB above which a sound can keep itself going. */
const LOUD_DB = -30;
/** s for which both must be loud without a pause before the guard tests. */
const PATIENCE_SECONDS = 1.5;
/** s for which the sound is turned down: longer than a room rings and the devices lag. */
const TEST_SECONDS = 0.35;
/** dB by which the microphone must have fallen by then if it picked up the loudspeaker. */
const FALL_DB = 12;
/** s for which a singer who has passed is not tested again. */
const TRUST_SECONDS = 20;

export class FeedbackGuard {
  #state: GuardState = "open";
  #loudSince: number | null = null;
  #testedAt = 0;
  #before = 0;
  #trustedUntil = Number.NEGATIVE_INFINITY;

  get state(): GuardState {
    return this.#state;
  }

  /** 1 where the sound may come out, 0 where it must not. */
  get gain(): number {
    return this.#state === "open" ? 1 : 0;
  }

  /** Takes one report and returns the guard's new state. */
  update(report: GuardReport): GuardState {
    if (this.#state === "open") this.#watch(report);
    else if (this.#state === "testing") this.#endTest(report);
    return this.#state;
  }

  /** Lets the sound through again, as after the player put on headphones. */
  reopen(): void {
    this.#state = "open";
    this.#loudSince = null;
    this.#trustedUntil = Number.NEGATIVE_INFINITY;
  }

  #watch({ time, microphoneDb, playedDb }: GuardReport): void {
    if (time < this.#trustedUntil || microphoneDb < LOUD_DB || playedDb < LOUD_DB) {
      this.#loudSince = null;
      return;
    }
    this.#loudSince ??= time;
    if (time - this.#loudSince < PATIENCE_SECONDS) return;
    this.#state = "testing";
    this.#testedAt = time;
    this.#before = microphoneDb;
  }

  #endTest({ time, microphoneDb }: GuardReport): void {
    if (time - this.#testedAt < TEST_SECONDS) return;
    this.#loudSince = null;
    if (microphoneDb <= this.#before - FALL_DB) {
      this.#state = "shut";
    } else {
      this.#state = "open";
      this.#trustedUntil = time + TRUST_SECONDS;
    }
  }
}
