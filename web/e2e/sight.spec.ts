/** What is played with, and what went wrong, is in sight at once, on a laptop and on a phone held either way. */

import type { Locator, Page } from "@playwright/test";
import { expect, open, singing, skipWithoutBrowser, test } from "./page.ts";

skipWithoutBrowser();
test.use({ launchOptions: singing("hum") });

/** Expects an element to lie wholly within the window, to a pixel, and nothing to be wider than that. */
async function expectInSight(page: Page, element: Locator): Promise<void> {
  await expect(element).toBeVisible();
  await expect
    .poll(() =>
      element.evaluate((found) => {
        const { top, bottom, left, right } = found.getBoundingClientRect();
        return top >= -1 && left >= -1 && bottom <= innerHeight + 1 && right <= innerWidth + 1;
      }),
    )
    .toBe(true);
  expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
}

for (const [width, height] of [
  [1366, 768],
  [1280, 720],
  [360, 640],
  [390, 844],
  [844, 390],
] as const) {
  test.describe(`${width}x${height}`, () => {
    test.use({ viewport: { width, height } });

    test("the button to sing, the keys, a take and its Play, and an error are in sight", async ({ page, url }) => {
      await open(page, url);
      await expectInSight(page, page.getByRole("button", { name: "Sing live" }));
      await page.getByRole("tab", { name: "Keys" }).click();
      await expectInSight(page, page.getByRole("group", { name: "Keys: arrows move, space plays" }));
      await page.getByRole("tab", { name: "Free" }).click();
      await page.getByRole("button", { name: "Use a hummed sample" }).click();
      await expectInSight(page, page.getByRole("button", { name: /^Play/ }).first());
      const noSound = { name: "words.wav", mimeType: "audio/wav", buffer: Buffer.from("no sound") };
      await page.locator("input[type=file]").setInputFiles(noSound);
      await expectInSight(page, page.getByRole("alert"));
      await page.getByRole("tab", { name: "Sing along" }).click();
      await expect(page.getByRole("alert")).toHaveCount(0);
    });
  });
}
