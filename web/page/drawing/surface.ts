/** The surface of a drawing: a canvas in CSS pixels, and the page's colours. */

export interface Theme {
  readonly ink: string;
  readonly soft: string;
  readonly line: string;
  readonly accent: string;
  /** Of names in a drawing, and of texts across it. */
  readonly font: string;
  readonly largeFont: string;
}

export interface Surface {
  readonly context: CanvasRenderingContext2D;
  /** CSS pixels. */
  readonly width: number;
  readonly height: number;
  readonly theme: Theme;
  /** The player prefers reduced motion. */
  readonly still: boolean;
}

/** Reads the colours that apply to an element. */
export function themeOf(element: Element): Theme {
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  return {
    ink: colour("--ink"),
    soft: colour("--soft"),
    line: colour("--line"),
    accent: colour("--accent"),
    font: `12px ${colour("--sans")}`,
    largeFont: `20px ${colour("--serif")}`,
  };
}

export function horizontal({ context, width }: Surface, y: number): void {
  context.beginPath();
  context.moveTo(0, y);
  context.lineTo(width, y);
  context.stroke();
}

export function vertical({ context, height }: Surface, x: number): void {
  context.beginPath();
  context.moveTo(x, 0);
  context.lineTo(x, height);
  context.stroke();
}
