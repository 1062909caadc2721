// Pages in headless Chromium: what axe finds wrong, how wide they have to be, and what they ask other hosts for.
// In: {"urls", "widths", "schemes", "chromium"} on stdin. Out: a list of sights on stdout; tests/browser.py names their fields.
// Nothing of another host is fetched: requests that leave this machine are stopped, and told.
const fs = require("node:fs");
const puppeteer = require("puppeteer-core");
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const HERE = /^(file|data|about|blob):|^http:\/\/(127\.0\.0\.1|localhost)[:/]/;

async function look(page, url, width, scheme) {
  await page.setViewport({ width, height: 900 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  return page.evaluate(async (url, width, scheme, tags) => {
    const told = await axe.run(document, { runOnly: tags, rules: { "target-size": { enabled: true } }, resultTypes: ["violations"] });
    const faults = told.violations.flatMap(({ id, help, nodes }) =>
      nodes.map(({ target, any }) => `${id}: ${target.join(" ")}: ${any[0]?.message ?? help}`));
    const body = getComputedStyle(document.body);
    return { url, width, scheme, needs: document.scrollingElement.scrollWidth, faults, direction: body.direction, paper: body.backgroundColor };
  }, url, width, scheme, RULES);
}

async function main({ urls, widths, schemes, chromium }) {
  const browser = await puppeteer.launch({ executablePath: chromium, args: ["--no-sandbox", "--disable-gpu", "--hide-scrollbars"] });
  const sights = [];
  try {
    for (const url of urls) {
      const page = await browser.newPage();
      const elsewhere = [];
      await page.setBypassCSP(true);
      await page.setRequestInterception(true);
      page.on("request", (request) => HERE.test(request.url())
        ? request.continue()
        : (elsewhere.push(request.url()), request.abort()));
      await page.goto(url, { waitUntil: "load" });
      await page.evaluate(axe);
      for (const width of widths)
        for (const scheme of schemes)
          sights.push({ ...(await look(page, url, width, scheme)), elsewhere });
      await page.close();
    }
  } finally {
    await browser.close();
  }
  process.stdout.write(JSON.stringify(sights));
}

main(JSON.parse(fs.readFileSync(0, "utf8"))).catch((fault) => { console.error(fault); process.exit(1); });
