/** A bundle that cannot be played: a file is missing or damaged, or holds what this engine does not support. */
export class BundleError extends Error {
  /** The file, as a path within the bundle or an address. */
  readonly file: string;

  constructor(file: string, fault: string, options?: ErrorOptions) {
    super(`${file}: ${fault}`, options);
    this.name = "BundleError";
    this.file = file;
  }
}
