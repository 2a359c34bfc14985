/** WebKitGTK's MiniBrowser, through its WebDriver, on a display of its own. */

import { type AddressInfo, createServer } from "node:net";
import { Builder, By, Capabilities } from "selenium-webdriver";
import { findProgram } from "../../chromium.ts";
import { type Browser, type Driver, Helper } from "./driver.ts";

export const webkit: Browser = {
  name: "WebKit",
  missing() {
    if (findProgram("WebKitWebDriver") === null) return "no WebKitWebDriver on the PATH: install webkit2gtk-driver";
    if (findProgram("Xvfb") === null) return "no Xvfb on the PATH: install xvfb";
    return null;
  },
  async launch(): Promise<Driver> {
    const screen = ["-screen", "0", "1280x1024x24", "-nolisten", "tcp"];
    const display = new Helper("Xvfb", ["-displayfd", "3", ...screen], {});
    const DISPLAY = `:${await display.firstLine()}`;
    const port = await freePort();
    const address = `http://127.0.0.1:${port}`;
    const server = new Helper("WebKitWebDriver", [`--port=${port}`, "--host=127.0.0.1"], { DISPLAY });
    await server.until(() => answers(`${address}/status`));
    const driver = await new Builder()
      .disableEnvironmentOverrides()
      .usingServer(address)
      .withCapabilities(new Capabilities({ browserName: "MiniBrowser" }))
      .build();
    await driver.manage().setTimeouts({ script: 60_000 });
    return {
      open: (url) => driver.get(url),
      reload: () => driver.navigate().refresh(),
      async evaluate(script, ...values) {
        const { result, error } = await driver.executeAsyncScript<{ result: never; error?: string }>(
          `const done = arguments[arguments.length - 1];
          Promise.resolve([...arguments].slice(0, -1))
            .then((values) => (${script})(...values))
            .then((result) => done({ result }), (error) => done({ error: String(error) }));`,
          ...values,
        );
        if (error !== undefined && error !== null) throw new Error(error);
        return result;
      },
      click: (xpath) => driver.findElement(By.xpath(xpath)).click(),
      chooseFile: (xpath, path) => driver.findElement(By.xpath(xpath)).sendKeys(path),
      keyDown: (key) => driver.actions().keyDown(key).perform(),
      keyUp: (key) => driver.actions().keyUp(key).perform(),
      async close() {
        await driver.quit();
        await server.stop();
        await display.stop();
      },
    };
  },
};

function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => done(port));
    });
  });
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}
