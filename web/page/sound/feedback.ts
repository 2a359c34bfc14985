/**
 * A guard against feedback: the microphone hears the instrument, the instrument plays what it hears, and so on.
 *
 * Both a singer and a loop are loud, so loudness proves nothing. The guard asks: it turns the sound down for a moment.
 * A singer does not care, a loop dies. Then the sound stays off until the player wants it back.
 */

export type GuardState = "open" | "asking" | "shut";

/** What the guard hears, about 25 times a second. */
export interface GuardReport {
  /** s, of any clock that only rises. */
  readonly time: number;
  /** dB of the microphone's level. */
  readonly heardDb: number;
  /** dB of the level at the loudspeaker. */
  readonly playedDb: number;
}

/** dB above which a sound can keep itself going. */
const LOUD_DB = -30;
/** s for which both must be loud without a pause before the guard asks. */
const PATIENCE_SECONDS = 1.5;
/** s for which the sound is turned down: longer than a room rings and the devices lag. */
const ASKING_SECONDS = 0.35;
/** dB by which the microphone must have fallen by then if it heard the loudspeaker. */
const FALL_DB = 12;
/** s for which a singer who has passed is not asked again. */
const TRUST_SECONDS = 20;

export class FeedbackGuard {
  #state: GuardState = "open";
  #loudSince: number | null = null;
  #askedAt = 0;
  #before = 0;
  #trustedUntil = Number.NEGATIVE_INFINITY;

  get state(): GuardState {
    return this.#state;
  }

  /** 1 where the sound may be heard, 0 where it must not. */
  get gain(): number {
    return this.#state === "open" ? 1 : 0;
  }

  /** Hears one report and returns what the guard does now. */
  hear(report: GuardReport): GuardState {
    if (this.#state === "open") this.#watch(report);
    else if (this.#state === "asking") this.#listen(report);
    return this.#state;
  }

  /** Lets the sound through again, as after the player put on headphones. */
  reopen(): void {
    this.#state = "open";
    this.#loudSince = null;
    this.#trustedUntil = Number.NEGATIVE_INFINITY;
  }

  #watch({ time, heardDb, playedDb }: GuardReport): void {
    if (time < this.#trustedUntil || heardDb < LOUD_DB || playedDb < LOUD_DB) {
      this.#loudSince = null;
      return;
    }
    this.#loudSince ??= time;
    if (time - this.#loudSince < PATIENCE_SECONDS) return;
    this.#state = "asking";
    this.#askedAt = time;
    this.#before = heardDb;
  }

  #listen({ time, heardDb }: GuardReport): void {
    if (time - this.#askedAt < ASKING_SECONDS) return;
    this.#loudSince = null;
    if (heardDb <= this.#before - FALL_DB) {
      this.#state = "shut";
    } else {
      this.#state = "open";
      this.#trustedUntil = time + TRUST_SECONDS;
    }
  }
}
