/** A canvas as sharp as the screen, drawn anew when something changes, or frame by frame while something moves. */

import { useEffect, useRef } from "preact/hooks";
import { type Surface, themeOf } from "../drawing/surface.ts";

interface Props {
  /** What it shows, for those who do not see it. */
  readonly label: string;
  readonly class: string;
  readonly moving: boolean;
  readonly draw: (surface: Surface) => void;
}

export function Canvas({ label, class: name, moving, draw }: Props) {
  const element = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const canvas = element.current;
    if (!canvas) return;
    let request = 0;
    const paint = () => {
      paintOn(canvas, draw);
      if (moving) request = requestAnimationFrame(paint);
    };
    const once = () => {
      if (!moving) paint();
    };
    const resized = new ResizeObserver(once);
    resized.observe(canvas);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", once);
    paint();
    return () => {
      cancelAnimationFrame(request);
      resized.disconnect();
      dark.removeEventListener("change", once);
    };
  });
  return <canvas ref={element} class={name} role="img" aria-label={label} />;
}

function paintOn(canvas: HTMLCanvasElement, draw: (surface: Surface) => void): void {
  const { clientWidth: width, clientHeight: height } = canvas;
  const scale = devicePixelRatio;
  if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
  }
  const context = canvas.getContext("2d");
  if (!context || width === 0) return;
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  draw({ context, width, height, theme: themeOf(canvas), still });
}
