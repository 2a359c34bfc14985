import { expect, test } from "vitest";
import { bytes, milliseconds, percent, seconds, signed } from "../../page/views/formatting.ts";

test("numbers are formatted with their units", () => {
  expect([3, -3, 0, 0.3, -0.3].map((value) => signed(value))).toEqual(["+3", "−3", "0", "0", "0"]);
  expect(signed(-0.25, 2)).toBe("−0.25");
  expect(percent(0.666)).toBe("67 %");
  expect([3.21, 42.4].map(milliseconds)).toEqual(["3.2 ms", "42 ms"]);
  expect([0.06, 1.25].map(seconds)).toEqual(["60 ms", "1.3 s"]);
  expect([237_400, 1_240_000].map(bytes)).toEqual(["237 kB", "1.2 MB"]);
});
