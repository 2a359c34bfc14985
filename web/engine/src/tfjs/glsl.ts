/** Pieces of shaders that more than one kernel is made of. GLSL ES 3.00, so WebGL 2. */

import { PARTS_PER_CYCLE } from "./phase_table.ts";

/** Finds a texel by its number, whatever shape TF.js gave the texture. */
export const TEXEL_OF_PACKED = `
  ivec2 texelOf(int number, ivec2 texShape) {
    int columns = (texShape.y + 1) / 2; // TF.js counts values, of which a packed texel holds 2 x 2
    return ivec2(number % columns, number / columns);
  }
`;

/**
 * `sine`: sin(2 pi x) of x cycles, to 2e-7. x is folded to a quarter cycle about 0, where an odd polynomial of degree 9
 * (minimax, by the Remez exchange) is within 4e-9; what drivers offer as sin() may be wrong by 1e-4.
 */
export const SINE = `
  vec4 sine(vec4 cycles) {
    vec4 x = abs(fract(cycles - 0.25) - 0.5) - 0.25;
    vec4 s = x * x;
    return x * ((((39.53670607 * s - 76.54978229) * s + 81.60100407) * s - 41.34165503) * s + 6.28318516);
  }
`;

/**
 * `harmonics`: the sum of a packed texel's four samples: two successive frames by two successive samples.
 *
 * Reads `amplitude` [frames, 1] and `distribution` [frames, harmonics], both packed. A harmonic is silent wherever
 * it reaches Nyquist, as in models/ddsp/oscillator.py.
 */
export const HARMONIC_SUM = `
  ${TEXEL_OF_PACKED}
  ${SINE}

  /* phase: cycles, as hi + lo, hi a multiple of 1/${PARTS_PER_CYCLE}, so that number * hi is exact; hz: of f0. */
  vec4 harmonics(ivec2 at, vec4 hi, vec4 lo, vec4 hz) {
    int frames = amplitudeShape.x, count = distributionShape.y;
    int columns = (count + 1) / 2, pair = at.x / 2, pairs = (frames + 1) / 2, after = min(pair + 1, pairs - 1);
    bool isLast = at.x + 1 >= frames, isNextLast = at.x + 2 >= frames; // the last frame is held

    float slowest = min(min(hz.x, hz.y), min(hz.z, hz.w));
    vec4 here = vec4(0.0), next = vec4(0.0);
    for (int column = 0; column < columns; column++) {
      float number = float(2 * column + 1);
      if (number * slowest >= nyquist) break;
      vec4 two = texelFetch(distribution, texelOf(pair * columns + column, distributionTexShape), 0);
      vec4 following = texelFetch(distribution, texelOf(after * columns + column, distributionTexShape), 0);
      vec2 second = isLast ? two.xy : two.zw;
      vec2 third = isNextLast ? second : following.xy;

      vec4 s = sine(fract(number * hi) + number * lo) * vec4(lessThan(number * hz, vec4(nyquist)));
      here += s * vec4(two.xx, second.xx);
      next += s * vec4(second.xx, third.xx);
      if (2 * column + 1 < count) {
        number += 1.0;
        s = sine(fract(number * hi) + number * lo) * vec4(lessThan(number * hz, vec4(nyquist)));
        here += s * vec4(two.yy, second.yy);
        next += s * vec4(second.yy, third.yy);
      }
    }

    vec4 level = texelFetch(amplitude, texelOf(pair, amplitudeTexShape), 0);
    float secondLevel = isLast ? level.x : level.z;
    float thirdLevel =
        isNextLast ? secondLevel : texelFetch(amplitude, texelOf(after, amplitudeTexShape), 0).x;
    vec4 way = vec4(at.y, at.y + 1, at.y, at.y + 1) / hop, quarter = sine(0.25 * way);
    vec4 rising = isWindow == 1 ? quarter * quarter : way; // 0.5 - 0.5 cos(pi way), without the driver's cos()
    return here * vec4(level.xx, vec2(secondLevel)) * (1.0 - rising)
        + next * vec4(vec2(secondLevel), vec2(thirdLevel)) * rising;
  }
`;
