/** `local_runner.py serve`, as a player starts it. */

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const OWN = `${ROOT}.venv/bin/python`;
export const PYTHON = existsSync(OWN) ? OWN : "python3";
const START_MS = 30_000;

export class Server {
  readonly url: string;
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess, url: string) {
    this.#process = process;
    this.url = url;
  }

  /** Starts a server. @param output folder that holds `pushed/`. */
  static start(output: string): Promise<Server> {
    const command = ["local_runner.py", "serve", "--output", output, "--port", "0"];
    const started = spawn(PYTHON, command, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
    return new Promise((done, failed) => {
      let printed = "";
      const giveUp = (why: string) => {
        started.kill();
        failed(new Error(`local_runner.py serve ${why}: ${printed}`));
      };
      const timer = setTimeout(() => giveUp("prints no address"), START_MS);
      const read = (text: Buffer) => {
        printed += text.toString();
        const url = /Play at (http:\S+)/.exec(printed)?.[1];
        if (url === undefined) return;
        clearTimeout(timer);
        done(new Server(started, url));
      };
      started.stdout.on("data", read);
      started.stderr.on("data", read);
      started.on("exit", () => {
        clearTimeout(timer);
        giveUp("ended");
      });
    });
  }

  stop(): Promise<void> {
    return new Promise((done) => {
      this.#process.removeAllListeners("exit");
      this.#process.on("exit", () => done());
      this.#process.kill("SIGINT");
    });
  }
}
