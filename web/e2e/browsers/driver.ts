/** What the tests need of a browser, whatever protocol drives it. */

import { type ChildProcess, spawn } from "node:child_process";

export interface Driver {
  open(url: string): Promise<void>;
  reload(): Promise<void>;
  /** Runs a function in the page; it may use nothing but its arguments and the page's globals. */
  evaluate<A extends unknown[], T>(script: (...values: A) => T | Promise<T>, ...values: A): Promise<T>;
  click(xpath: string): Promise<void>;
  /** Gives a file to an input. */
  chooseFile(xpath: string, path: string): Promise<void>;
  keyDown(key: string): Promise<void>;
  keyUp(key: string): Promise<void>;
  close(): Promise<void>;
}

/** A browser that the tests may find here. */
export interface Browser {
  readonly name: string;
  /** What is missing to drive it, with what to install; null where nothing is. */
  missing(): string | null;
  launch(): Promise<Driver>;
}

/** A program that runs beside the tests. */
export class Helper {
  readonly #process: ChildProcess;
  readonly #name: string;

  constructor(program: string, args: readonly string[], env: Readonly<Record<string, string>>) {
    this.#name = program;
    this.#process = spawn(program, args, {
      env: { ...process.env, ...env },
      stdio: ["ignore", "ignore", "ignore", "pipe"],
    });
  }

  /** Waits for the first line that the program writes to its file descriptor 3. */
  firstLine(): Promise<string> {
    return new Promise((done, failed) => {
      this.#process.once("exit", () => failed(new Error(`${this.#name} ended before it was ready`)));
      this.#process.once("error", failed);
      this.#process.stdio[3]?.once("data", (text: Buffer) => done(text.toString().trim()));
    });
  }

  /** Waits until a check of the program succeeds. */
  async until(isReady: () => boolean | Promise<boolean>): Promise<void> {
    for (let attempt = 0; attempt < 100; attempt++) {
      if (this.#process.exitCode !== null) throw new Error(`${this.#name} ended before it was ready`);
      if (await isReady()) return;
      await new Promise((later) => setTimeout(later, 100));
    }
    throw new Error(`${this.#name} is not ready after 10 s`);
  }

  stop(): Promise<void> {
    return new Promise((done) => {
      if (this.#process.exitCode !== null || this.#process.signalCode !== null) return done();
      this.#process.once("exit", () => done());
      this.#process.kill();
    });
  }
}
