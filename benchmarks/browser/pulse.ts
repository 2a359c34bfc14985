/**
 * A PulseAudio server of its own with one two-channel null sink: a microphone that is played from a file is its left
 * channel, a loudspeaker its right one. Both are one stream, so a recording of it has both in one clock, to the sample.
 */

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Hz, of the sink and all that is recorded. */
export const RIG_RATE = 48000;
const READY_MS = 10_000;
const TAIL_MS = 1000; // recorded after the last sample was played
const HEAD_MS = 300; // and before the first

const MODULES = [
  `module-null-sink sink_name=rig format=float32le rate=${RIG_RATE} channels=2 channel_map=front-left,front-right`,
  remap("sink", "mouth", "rig", "front-left"),
  remap("sink", "speaker", "rig", "front-right"),
  remap("source", "microphone", "rig.monitor", "front-left"),
];

export interface Recorded {
  /** What the microphone got, and what the loudspeaker played; as long. */
  readonly voice: Float32Array;
  readonly speaker: Float32Array;
}

export class PulseRig {
  readonly #folder: string;
  readonly #server: ChildProcess;

  private constructor(folder: string, server: ChildProcess) {
    this.#folder = folder;
    this.#server = server;
  }

  /** Starts the server. @throws Error it does not start; the message states why. */
  static async start(): Promise<PulseRig> {
    const folder = mkdtempSync(join(tmpdir(), "swara-pulse-"));
    const modules = [`module-native-protocol-unix auth-anonymous=1 socket=${join(folder, "socket")}`, ...MODULES];
    const args = [
      "-n",
      "--daemonize=no",
      "--use-pid-file=no",
      "--exit-idle-time=-1",
      "--disable-shm=yes",
      "--high-priority=yes",
    ];
    const server = spawn("pulseaudio", [...args, ...modules.map((module) => `--load=${module}`)], {
      env: { ...process.env, HOME: folder, XDG_RUNTIME_DIR: folder, PULSE_RUNTIME_PATH: folder },
      stdio: ["ignore", "ignore", "pipe"],
    });
    let complaint = "";
    server.stderr?.on("data", (text) => {
      complaint += text;
    });
    let failed: Error | null = null;
    server.on("error", (error) => {
      failed = error;
    });
    const rig = new PulseRig(folder, server);
    const begun = Date.now();
    while (!rig.#isReady()) {
      if (failed || server.exitCode !== null || Date.now() - begun > READY_MS) {
        rig.stop();
        throw new Error(`PulseAudio does not start (install pulseaudio): ${failed ?? complaint.slice(-400)}`);
      }
      await sleep(100);
    }
    return rig;
  }

  /** Environment variables of a program that shall use this server. */
  get environment(): Record<string, string> {
    return { PULSE_SERVER: `unix:${join(this.#folder, "socket")}` };
  }

  /** Plays a voice into the microphone and records that and the loudspeaker. */
  async play(voice: Float32Array): Promise<Recorded> {
    const file = join(this.#folder, "voice.raw");
    const both = join(this.#folder, "both.raw");
    writeFileSync(file, new Uint8Array(voice.buffer, voice.byteOffset, voice.byteLength));
    const format = ["--raw", "--format=float32le", `--rate=${RIG_RATE}`, "--latency-msec=400"]; // gaps would be worse
    const options = { env: { ...process.env, ...this.environment }, stdio: "ignore" } as const;
    const recorder = spawn("parec", ["--device=rig.monitor", "--channels=2", ...format, both], options);
    await sleep(HEAD_MS);
    const player = spawn("pacat", ["--playback", "--device=mouth", "--channels=1", ...format, file], options);
    await new Promise<void>((done, failed) => player.on("error", failed).on("exit", () => done()));
    await sleep(TAIL_MS);
    recorder.kill();
    await new Promise<void>((done) => recorder.on("exit", () => done()));
    const samples = new Float32Array(Uint8Array.from(readFileSync(both)).buffer);
    const channel = (first: number) =>
      Float32Array.from({ length: samples.length >> 1 }, (_, i) => samples[2 * i + first] as number);
    return { voice: channel(0), speaker: channel(1) };
  }

  stop(): void {
    this.#server.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #isReady(): boolean {
    if (!existsSync(join(this.#folder, "socket"))) return false;
    try {
      const env = { ...process.env, ...this.environment };
      const sources = execFileSync("pactl", ["list", "short", "sources"], {
        env,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      });
      if (!sources.includes("microphone")) return false;
      execFileSync("pactl", ["set-default-sink", "speaker"], { env });
      execFileSync("pactl", ["set-default-source", "microphone"], { env });
      return true;
    } catch {
      return false;
    }
  }
}

function remap(kind: "sink" | "source", name: string, master: string, channel: string): string {
  const map = `channels=1 channel_map=mono master_channel_map=${channel} remix=no`;
  return `module-remap-${kind} ${kind === "sink" ? "sink_name" : "source_name"}=${name} master=${master} ${map}`;
}

function sleep(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
