/** Counts what a page holds on the graphics card: every texture and buffer of WebGL 2, by the sizes it requested. */

const BYTES_PER_TEXEL: ReadonlyMap<number, number> = new Map([
  [WebGL2RenderingContext.R16F, 2],
  [WebGL2RenderingContext.R32F, 4],
  [WebGL2RenderingContext.RGBA, 4],
  [WebGL2RenderingContext.RGBA8, 4],
  [WebGL2RenderingContext.RGBA16F, 8],
  [WebGL2RenderingContext.RGBA32F, 16],
]);

/** Bytes held now, and the most since `resetPeak`. */
export class GlBytes {
  held = 0;
  peak = 0;
  private readonly sizes = new Map<object, number>();

  resetPeak(): void {
    this.peak = this.held;
  }

  set(resource: object | null, bytes: number): void {
    if (resource === null) throw new Error("WebGL was given memory for nothing that is bound");
    this.held += bytes - (this.sizes.get(resource) ?? 0);
    this.sizes.set(resource, bytes);
    this.peak = Math.max(this.peak, this.held);
  }

  drop(resource: object | null): void {
    if (resource === null) return;
    this.held -= this.sizes.get(resource) ?? 0;
    this.sizes.delete(resource);
  }
}

/** Watches every context that is made from here on. Throws, in WebGL's stead, at a format that it has no size for. */
export function countGlBytes(): GlBytes {
  const bytes = new GlBytes();
  const gl = WebGL2RenderingContext.prototype;
  const texture = (context: WebGL2RenderingContext) => context.getParameter(context.TEXTURE_BINDING_2D) as WebGLTexture;

  before(gl, "texStorage2D", (context, [, , format, width, height]) => {
    bytes.set(texture(context), width * height * perTexel(format));
  });
  before(gl, "texImage2D", (context, call) => {
    const { length } = call as readonly unknown[]; // TypeScript takes only the last of its overloads
    const [, level, format, width, height] = call as unknown as number[];
    if (level !== 0 || length !== 9) throw new Error("an upload that is not counted: texImage2D of another form");
    bytes.set(texture(context), (width ?? 0) * (height ?? 0) * perTexel(format ?? 0));
  });
  before(gl, "bufferData", (context, [target, data]) => {
    const size = typeof data === "number" ? data : ((data as ArrayBufferView | null)?.byteLength ?? 0);
    bytes.set(boundBuffer(context, target), size);
  });
  before(gl, "deleteTexture", (_, [resource]) => bytes.drop(resource));
  before(gl, "deleteBuffer", (_, [resource]) => bytes.drop(resource));
  return bytes;
}

function boundBuffer(gl: WebGL2RenderingContext, target: number): WebGLBuffer | null {
  const bindings = new Map<number, number>([
    [gl.ARRAY_BUFFER, gl.ARRAY_BUFFER_BINDING],
    [gl.ELEMENT_ARRAY_BUFFER, gl.ELEMENT_ARRAY_BUFFER_BINDING],
    [gl.PIXEL_PACK_BUFFER, gl.PIXEL_PACK_BUFFER_BINDING],
  ]);
  const binding = bindings.get(target);
  if (binding === undefined) throw new Error(`a buffer that is not counted: target ${target}`);
  return gl.getParameter(binding);
}

function perTexel(format: number): number {
  const size = BYTES_PER_TEXEL.get(format);
  if (size === undefined) throw new Error(`a texture that is not counted: internal format ${format}`);
  return size;
}

type Method = (...values: never[]) => unknown;

/** Calls `look` with a method's context and arguments before the method itself. */
function before<Name extends keyof WebGL2RenderingContext>(
  prototype: WebGL2RenderingContext,
  name: Name,
  look: (context: WebGL2RenderingContext, values: Parameters<Extract<WebGL2RenderingContext[Name], Method>>) => void,
): void {
  const plain = prototype[name] as (...values: unknown[]) => unknown;
  Object.defineProperty(prototype, name, {
    value(this: WebGL2RenderingContext, ...values: unknown[]) {
      look(this, values as Parameters<Extract<WebGL2RenderingContext[Name], Method>>);
      return plain.apply(this, values);
    },
  });
}
